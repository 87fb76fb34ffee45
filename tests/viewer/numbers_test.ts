import { assertEquals } from "@std/assert";
import { chartSvg } from "../../viewer/render.ts";
import { duration, fixed, grouped, numberOf, numberText, significant, tickText } from "../../viewer/numbers.ts";

Deno.test("fixed() gives what rounds to 0 no sign, and others a minus sign", () => {
  assertEquals([fixed(-0.0004, 3), fixed(-0.0006, 3), fixed(0.5, 1), fixed(-0, 2)], ["0.000", "−0.001", "0.5", "0.00"]);
});

Deno.test("grouped(), significant() and tickText() write thousands apart, and no more digits than count", () => {
  assertEquals([0, 999, 83940, -1234567.4].map(grouped), ["0", "999", "83\u202f940", "−1\u202f234\u202f567"]);
  assertEquals([0.25, -1.23456, 1.2e-7].map((value) => significant(value, 3)), ["0.25", "−1.23", "1.2e-7"]);
  assertEquals([20000, 0.1 + 0.2, -0.05, 60.1920975594].map(tickText), ["20\u202f000", "0.3", "−0.05", "60.1921"]);
});

Deno.test("numberText() writes each unit, and numberOf() reads it", () => {
  assertEquals(numberText(0.92745, "percent"), "92.7 %");
  assertEquals(numberText(-0.281, "plain"), "−0.281");
  assertEquals(numberText(-0.00001234, "plain"), "−1.23e-5");
  assertEquals(numberText(0, "plain"), "0.000");
  assertEquals(numberText(83940, "count"), "83\u202f940");
  assertEquals(numberText(12.345, "milliseconds"), "12.3 ms");
  assertEquals([4.2, 185, 4800].map(duration), ["4.2 s", "3 min 05 s", "1 h 20 min"]);
  assertEquals(["−0.281", "83\u202f940", "−1.23e-5"].map(numberOf), [-0.281, 83940, -1.23e-5]);
});

Deno.test("chartSvg() writes minus signs and thousands at the ticks of its axes", () => {
  const svg = chartSvg({
    kind: "lines",
    id: "x",
    title: "x",
    about: "x",
    xTitle: "Training samples drawn",
    percent: false,
    series: [{ name: "a", x: [0, 40000], y: [-0.2, 0.2] }],
  }, { theme: "light", width: 600 });
  assertEquals(svg.match(/>(−0\.2|20\u202f000)<\/text>/g), [">−0.2</text>", ">20\u202f000</text>"]);
});

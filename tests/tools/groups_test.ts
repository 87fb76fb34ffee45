import { assertEquals } from "@std/assert";
import { Random } from "../../core/random.ts";
import { splitGroups } from "../../tools/groups.ts";

/** A group's items, by label. */
const items = (group: string, ...labels: number[]) => labels.map((label) => ({ group, label }));

Deno.test("splitGroups() gives large groups first to the split that lacks most, within the class of most of a group's items", () => {
  // Class 0 has ten items: shares 6.5, 1 and 2.5. Six train; then test lacks 2.5, two go there; .5, 1 and .5 lack: one
  // validates; .5, 0 and .5 lack: the last trains, as the first of equals.
  const own = [
    ...items("f", 1, 0, 0, 0),
    ...items("a", 0, 0, 0, 0, 0, 0),
    ...items("b", 0, 0),
    ...items("c", 0),
    ...items("d", 0),
    ...items("e", 0, 1, 1),
    ...items("g", 2, 1),
    ...items("x", 3, 3, 3, 0, 0),
    ...items("y", 3, 3, 3, 3),
  ];
  // Class 0 with f, whose item of class 1 counts too: fourteen, 9.1, 1.4 and 3.5. a trains, then test lacks more than 3.1.
  const splits = splitGroups(own, new Random(1));
  assertEquals([splits.get("a"), splits.get("f")], ["train", "test"]);
  // Left are 3.1, 1.4 and -.5: b trains; then 1.1 and 1.4: one of c and d validates, the other trains.
  assertEquals([splits.get("b"), [splits.get("c"), splits.get("d")].sort()], ["train", ["train", "validation"]]);
  // e and g are of class 1, g as the first of equals: of five, 3.25, .5 and 1.25.
  assertEquals([splits.get("e"), splits.get("g")], ["train", "test"]);
  // x is the larger one, with what it holds of another class.
  assertEquals([splits.get("x"), splits.get("y")], ["train", "test"]);
  assertEquals(splits.size, 9);
  assertEquals([...splitGroups(own, new Random(1))], [...splits]);
  const turns = Array.from({ length: 20 }, (_, seed) => splitGroups(own, new Random(seed)).get("c"));
  assertEquals(new Set(turns), new Set(["train", "validation"] as const));
});

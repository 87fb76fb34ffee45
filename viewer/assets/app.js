// What pages do beyond links and forms: they all work without it.
import { findCharts, redrawCharts } from "./charts.js";
import { takeChecked } from "./chosen.js";
import { findCommands } from "./copy.js";
import { listen, rememberParts } from "./live.js";
import { load, onShow, show } from "./navigate.js";
import { onTheme } from "./theme_switch.js";

let asking = 0;
/** A page of which something is still to come asks again, and is shown anew when all of it is there. */
function askAgain() {
  clearTimeout(asking);
  if (document.querySelector("[data-again]") === null) return;
  const address = location.href;
  asking = setTimeout(async () => {
    const there = document.hidden ? false : await load(address).then(
      ({ next }) => next.querySelector("[data-again]") === null,
      () => false, // a server that is gone for a moment
    );
    if (address !== location.href) return;
    if (there) show(address, "none");
    else askAgain();
  }, 1500);
}

function begin() {
  findCharts();
  findCommands();
  takeChecked();
  rememberParts();
  askAgain();
}

onShow(begin);
onTheme(redrawCharts);
begin();
listen();
document.documentElement.dataset.ready = "";

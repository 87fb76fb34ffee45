// What pages do beyond links and forms: they all work without it.
import { findCharts, redrawCharts } from "./charts.js";
import { takeChecked } from "./chosen.js";
import { findCommands } from "./copy.js";
import { listen, rememberParts } from "./live.js";
import { onShow, show } from "./navigate.js";
import { onTheme } from "./theme_switch.js";

let asking = 0;
/** A page of which something is still to come asks again, unless another is shown by then. */
function askAgain() {
  clearTimeout(asking);
  if (document.querySelector("[data-again]") === null) return;
  const address = location.href;
  asking = setTimeout(() => address === location.href && show(address, "none"), 1500);
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

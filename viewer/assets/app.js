// What pages do beyond links and forms: they all work without it.
import { findCharts, redrawCharts } from "./charts.js";
import { takeChecked } from "./chosen.js";
import { findCommands } from "./copy.js";
import { listen, rememberParts } from "./live.js";
import { onShow } from "./navigate.js";
import { onTheme } from "./theme_switch.js";

function begin() {
  findCharts();
  findCommands();
  takeChecked();
  rememberParts();
}

onShow(begin);
onTheme(redrawCharts);
begin();
listen();
document.documentElement.dataset.ready = "";

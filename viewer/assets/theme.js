// Before the first paint: the theme that was chosen, if one was.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme is as good.
}
document.documentElement.dataset.js = "";

// The button that changes the theme.
const themeButton = document.getElementById("theme");
let changed = () => {};
/** Says what to do when the theme changes. */
export function onTheme(run) {
  changed = run;
}

const themes = ["system", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");
const chosenTheme = () => document.documentElement.dataset.theme ?? "system";
/** The theme that is seen. */
export const shownTheme = () => chosenTheme() === "system" ? (dark.matches ? "dark" : "light") : chosenTheme();
const nameTheme = () => themeButton.textContent = `Theme: ${chosenTheme()}`;
themeButton.hidden = false;
nameTheme();
themeButton.addEventListener("click", () => {
  const next = themes[(themes.indexOf(chosenTheme()) + 1) % themes.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
  } catch {
    // Storage may be forbidden: the choice lasts as long as the page.
  }
  nameTheme();
  changed();
});
dark.addEventListener("change", () => changed());

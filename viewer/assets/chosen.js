// What is chosen for a comparison outlasts searches, other pages of the table and refreshes.

/** Things compared at most, as the server says, too. */
const most = 12;

/** Field to value, by both: in the order in which they were chosen. */
const chosen = new Map();
const key = (name, value) => `${name} ${value}`;
const boxOf = ({ name, value }) =>
  document.querySelector(`input[form=compare][name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);

/** Takes what a reader did to a box. */
export function takeChoice({ name, value, checked }) {
  if (checked) chosen.set(key(name, value), { name, value });
  else chosen.delete(key(name, value));
  showChosen();
}

/** Takes what is checked on a page as it comes, such as one that the browser went back to. */
export function takeChecked() {
  for (const { name, value } of document.querySelectorAll("input[form=compare]:checked")) {
    chosen.set(key(name, value), { name, value });
  }
  showChosen();
}

/** Shows what is chosen: by its box, or, where the table does not show it now, by a hidden field. */
export function showChosen() {
  const bar = document.getElementById("compare");
  if (bar === null) return;
  for (const field of bar.querySelectorAll("input[type=hidden]:not([data-kept])")) field.remove();
  let unseen = 0;
  for (const own of chosen.values()) {
    const box = boxOf(own);
    if (box !== null) {
      box.checked = true;
      continue;
    }
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: own.name, value: own.value });
    bar.append(field);
    unseen++;
  }
  const count = chosen.size;
  bar.classList.toggle("chosen", count > 0);
  bar.querySelector("button[type=submit]").disabled = count === 0;
  bar.querySelector(".clear").hidden = count === 0;
  bar.querySelector(".hint").textContent = count === 0
    ? "Choose configurations by their boxes."
    : `${count} chosen${unseen > 0 ? `, ${unseen} of them not in this table` : ""}` +
      (count > most ? `; the first ${most} are compared` : "");
}

document.addEventListener("click", (event) => {
  if (!event.target.matches?.("#compare .clear")) return;
  for (const box of document.querySelectorAll("input[form=compare]:checked")) box.checked = false;
  chosen.clear();
  showChosen();
});

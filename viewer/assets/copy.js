// Commands that can be copied.

const main = document.getElementById("main");

/** Gives each command its button. */
export function findCommands() {
  for (const block of main.querySelectorAll("[data-copy]:not([data-ready])")) {
    block.dataset.ready = "";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block.querySelector("code"));
        button.textContent = "Press Ctrl+C";
      }
      setTimeout(() => button.textContent = "Copy", 2000);
    });
    block.append(button);
  }
}

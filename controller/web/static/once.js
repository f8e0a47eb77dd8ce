// A form is sent once: its button says so and takes no second touch. The server counts one anyway.

document.addEventListener("submit", (event) => {
  const button = event.submitter ?? event.target.querySelector("button");
  if (!button) return;
  // After the browser has read the form: a disabled button's value would not be sent.
  setTimeout(() => {
    button.dataset.said = button.textContent;
    button.textContent = document.body.dataset.busy;
    button.disabled = true;
  });
});

// Back from the next page, the form stands as it was left.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[data-said]")) {
    button.textContent = button.dataset.said;
    button.disabled = false;
  }
});

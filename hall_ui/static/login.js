// Says at the form why a login failed; without this file the form is sent as any form.
const form = document.querySelector("form");
const failed = document.getElementById("failed");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  failed.textContent = "";
  form.querySelector("button").disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
    });
    const back = new URL(answer.url).pathname === "/login" && answer.redirected;
    if (answer.ok && !back) return location.assign(form.elements.next.value);
    failed.textContent = answer.status === 429 ? failed.dataset.busy : failed.dataset.failed;
  } catch {
    failed.textContent = failed.dataset.net;
  }
  form.querySelector("button").disabled = false;
  form.elements.password.value = "";
  form.elements.password.focus();
});

// Offers to count the way. The place is asked for on a touch only, and rounded to some hundred metres.

const button = document.getElementById("locate");
if (button && isSecureContext && "geolocation" in navigator) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const to = new URL(location.href);
        to.searchParams.set("near", `${coords.latitude.toFixed(3)},${coords.longitude.toFixed(3)}`);
        location.assign(to);
      },
      () => {
        button.textContent = button.dataset.denied;
      },
      { timeout: 10_000, maximumAge: 60_000 },
    );
  });
}

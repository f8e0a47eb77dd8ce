// Shown from the browser's own store while the agent is away; goes back as soon as it answers.
setInterval(async () => {
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.ok) location.reload();
  } catch {
    // Still away.
  }
}, 3000);

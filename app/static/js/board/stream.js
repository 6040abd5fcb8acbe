/* The live stream of a board: it comes back after trouble, goes on where it was, and reloads the board when told to.
   The extension closes it in hidden tabs. */
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  let last = "";
  let isOver = false;
  let wait = 1000;

  const revive = () => {
    if (!isOver && !live._htmx?.sse && !document.hidden) htmx.trigger(live, "revive");
  };

  live.addEventListener("htmx:sse:after:message", ({ detail }) => {
    if (detail.message.id) last = detail.message.id;
    wait = 1000;
  });
  live.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (last) ctx.request.headers["Last-Event-ID"] = last;
  });
  for (const name of ["htmx:error", "htmx:response:error"]) {
    live.addEventListener(name, ({ detail }) => {
      if ([401, 403, 404, 410].includes(detail.ctx?.response?.status)) return;
      setTimeout(revive, wait + Math.random() * 500);
      wait = Math.min(wait * 2, 60000);
    });
  }
  document.addEventListener("visibilitychange", () => setTimeout(revive, 300));

  /* Told not to come back: a newer tab took this one's place, and gives it back when this one is looked at again. */
  live.addEventListener("closed", ({ detail }) => {
    const { reason } = JSON.parse(detail.data || "{}");
    isOver = reason !== "elsewhere";
    if (reason === "signed-out" || reason === "gone") location.reload();
  });
  addEventListener("focus", revive);

  /* The board is taken anew and laid over the one that is here, with the phase it is in. The field above it comes or goes
     with the phase; where it stays, it keeps what was typed. */
  const stays = ({ target, fragment }) => target?.id === "board-quick" && target.querySelector("#quick") && fragment.querySelector("#quick");
  let reloading;
  const reload = () => {
    const here = board.element();
    if (!here) return location.reload();
    htmx.ajax("GET", location.pathname + location.search, {
      source: here, target: here, select: "#board", selectOOB: "#board-phase,#board-quick", swap: "outerMorph",
    }).then(() => {
      board.readOwn();
      board.own(document);
      if (document.querySelector(".card")) document.querySelector("main > .empty")?.remove();
    });
  };
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    if (ctx.selectOOB) tasks.splice(0, tasks.length, ...tasks.filter((task) => !stays(task)));
  });
  live.addEventListener("refresh", ({ detail }) => {
    const { within_ms: within = 0 } = JSON.parse(detail.data || "{}");
    clearTimeout(reloading);
    reloading = setTimeout(reload, Math.random() * within);
  });
})();

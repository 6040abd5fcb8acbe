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

  /* The board is taken anew and laid over the one that is here; the field above it keeps what was typed. Where another
     phase has begun, more than the board is different: then the page is loaded anew, and a draft keeps what was typed. */
  let reloading;
  const reload = () => {
    const board_ = board.element();
    if (!board_) return location.reload();
    const { phase } = board_.dataset;
    htmx.ajax("GET", location.pathname + location.search, { source: board_, target: board_, select: "#board", swap: "outerMorph" })
      .then(() => {
        if (board.element().dataset.phase !== phase) return location.reload();
        board.readOwn();
        board.own(document);
      });
  };
  live.addEventListener("refresh", ({ detail }) => {
    const { within_ms: within = 0 } = JSON.parse(detail.data || "{}");
    clearTimeout(reloading);
    reloading = setTimeout(reload, Math.random() * within);
  });
})();

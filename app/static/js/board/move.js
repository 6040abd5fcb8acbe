/* Moving a card between columns: by a dialog, by the arrow keys, or by dragging. The card moves at once, and goes back
   if the server refuses. */
(() => {
  const dialog = document.getElementById("move");
  const form = document.getElementById("move-form");
  if (!dialog) return;
  let opener;

  const columns = () => [...document.querySelectorAll("[data-column]")];
  const titleOf = (id) => document.getElementById(`cluster-${id}-title`)?.textContent ?? "";

  const send = (card, to, from) => {
    card.dataset.from = from;
    htmx.ajax("POST", `/ideas/${card.dataset.card}/cluster`, {
      source: card, target: card, swap: "place", values: { cluster_id: to === "0" ? "" : to, csrf: board.csrf() },
    });
  };

  const move = (card, to) => {
    const from = card.dataset.cluster;
    if (from === to) return;
    board.glide(() => board.toColumn(card, to) || card.remove());
    board.say(dialog.dataset.moved, titleOf(to));
    if (card.isConnected) send(card, to, from);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-move]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      opener = link;
      const card = board.card(link.dataset.move);
      document.getElementById("move-idea").textContent = card.querySelector(".card-title").textContent;
      for (const radio of form.elements.cluster_id) radio.checked = (radio.value || "0") === card.dataset.cluster;
      dialog.showModal();
      form.querySelector(":checked")?.focus();
    }
    if (event.target.closest("[data-close]") || event.target === dialog) dialog.close();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    move(board.card(opener.dataset.move), new FormData(form).get("cluster_id") || "0");
    board.card(opener.dataset.move)?.querySelector("[data-move]").focus();
  });

  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const link = event.target.closest?.("[data-move]");
    if (!step || !link) return;
    event.preventDefault();
    const card = board.card(link.dataset.move);
    const all = columns();
    const next = all[all.findIndex((column) => column.dataset.column === card.dataset.cluster) + step];
    if (!next) return;
    move(card, next.dataset.column);
    link.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  for (const name of ["htmx:response:error", "htmx:error"]) {
    document.addEventListener(name, ({ target }) => {
      const { from } = target.dataset ?? {};
      if (target.matches?.("[data-card]") && from !== undefined) board.glide(() => board.toColumn(target, from));
    });
  }

  /* Dragging is for pointers; its library comes only when one is near a board that may be arranged. */
  let loading;
  const drag = () => {
    if (loading || !board.element()?.dataset.may.includes("move")) return;
    loading = import(document.getElementById("live").dataset.sortable).then(() => {
      for (const cards of document.querySelectorAll(".column-cards")) {
        Sortable.create(cards, {
          group: "board", sort: false, draggable: ".card", animation: 160, delay: 180, delayOnTouchOnly: true,
          filter: "button", preventOnFilter: false, ghostClass: "is-dragged",
          onEnd({ item, from, to }) {
            if (from === to) return;
            const [was, is] = [item.dataset.cluster, to.closest("[data-column]").dataset.column];
            board.glide(() => board.toColumn(item, is));
            board.say(dialog.dataset.moved, titleOf(is));
            send(item, is, was);
          },
        });
      }
    });
  };
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.(".column-cards")) drag();
  }, { passive: true });
})();

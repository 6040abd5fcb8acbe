/* Moving a card between columns: by a dialog, by the arrow keys, or by dragging. The card moves at once, and goes back
   if the server refuses. */
(() => {
  const dialog = document.getElementById("move");
  const form = document.getElementById("move-form");
  if (!dialog) return;
  let opener;

  const columns = () => [...document.querySelectorAll("[data-column]")];
  const titleOf = (id) => document.getElementById(`cluster-${id}-title`)?.textContent ?? "";

  /* Where each card is to go, and where it was, until the server has said yes: the last wish counts, one at a time. */
  const wishes = new Map();
  board.wish = (id) => wishes.get(id)?.to;

  const ask = async (id) => {
    const wish = wishes.get(id);
    const asked = wish.to;
    await htmx.ajax("POST", `/ideas/${id}/cluster`, {
      source: board.card(id), target: board.card(id), swap: "place", values: { cluster_id: asked === "0" ? "" : asked, csrf: board.csrf() },
    });
    if (wishes.get(id) !== wish) return;
    if (wish.to === asked || !board.card(id)) wishes.delete(id);
    else ask(id);
  };

  const send = (card, to, from) => {
    const id = card.dataset.card;
    if (wishes.has(id)) wishes.get(id).to = to;
    else {
      wishes.set(id, { to, from });
      ask(id);
    }
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
      const wish = target.matches?.("[data-card]") && wishes.get(target.dataset.card);
      if (!wish) return;
      wishes.delete(target.dataset.card);
      board.glide(() => board.toColumn(target, wish.from));
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
    }).catch(() => { loading = undefined; });
  };
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.(".column-cards")) drag();
  }, { passive: true });
})();

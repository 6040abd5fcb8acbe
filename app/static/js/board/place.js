/* The swap style `place`: each card of an answer or of a live update goes where it belongs.
   A card that is here is changed in place, or moved to its column; one that is new comes in at the top of it. */
(() => {
  let api;

  const morph = (old, fresh) => {
    const holder = document.createDocumentFragment();
    holder.append(fresh);
    const { id } = old;
    api.morph(old, holder, false);
    return document.getElementById(id);
  };

  const fits = (card) => {
    const { narrowed, onlyCluster, onlySector, words } = board.element().dataset;
    if (narrowed === undefined) return true;
    return !words && (!onlyCluster || onlyCluster === card.dataset.cluster) && (!onlySector || onlySector === card.dataset.sector);
  };

  board.toColumn = (card, id, atEnd = false) => {
    const cards = board.column(id);
    if (!cards) return false;
    if (atEnd) cards.append(card);
    else if (card.hasAttribute("data-pinned")) cards.prepend(card);
    else {
      const pinned = [...cards.querySelectorAll(":scope > [data-pinned]")].filter((other) => other !== card).at(-1);
      if (pinned) pinned.after(card);
      else cards.prepend(card);
    }
    card.dataset.cluster = id;
    return true;
  };

  const placeCard = (fresh, { atEnd, isLive }) => {
    fresh.dataset.cluster = board.wish?.(fresh.dataset.card) ?? fresh.dataset.cluster;
    board.own(fresh);
    const card = board.card(fresh.dataset.card);
    if (card) {
      const moves = card.dataset.cluster !== fresh.dataset.cluster || card.hasAttribute("data-pinned") !== fresh.hasAttribute("data-pinned");
      const { cluster } = fresh.dataset;
      const changed = morph(card, fresh);
      if (moves && !board.toColumn(changed, cluster)) changed.remove();
      return changed;
    }
    const part = document.getElementById(`idea-${fresh.dataset.card}-support`);
    if (part) return morph(part, fresh.querySelector(".support"));
    if (!board.element() || (isLive && !fits(fresh)) || !board.toColumn(fresh, fresh.dataset.cluster, atEnd)) return null;
    if (!atEnd) {
      fresh.classList.add("is-new");
      document.querySelector("main > .empty")?.remove();
      if (isLive) board.say(document.getElementById("board-said").dataset.new, fresh.querySelector(".card-title").textContent);
    }
    return fresh;
  };

  const placeItem = (fresh) => {
    const here = document.getElementById(fresh.id);
    if (here) return morph(here, fresh);
    const list = document.getElementById(fresh.dataset.item);
    if (!list) return null;
    document.querySelector(`[data-until="${list.id}"]`)?.remove();
    list.append(fresh);
    return fresh;
  };

  htmx.registerExtension("place", {
    init(internal) { api = internal; },

    handle_swap(style, target, fragment) {
      if (style !== "place") return false;
      const atEnd = target.id === "board-more";
      const isLive = target.id === "live";
      const placed = [];
      board.glide(() => {
        for (const { dataset } of fragment.querySelectorAll("[data-into]")) {
          if (board.supports(dataset.gone)) board.setSupport(dataset.into, true);
        }
        for (const card of fragment.querySelectorAll("[data-card]")) {
          if (!atEnd || !board.card(card.dataset.card)) placed.push(placeCard(card, { atEnd, isLive }));
        }
        for (const item of fragment.querySelectorAll("[data-item]")) placed.push(placeItem(item));
        for (const { dataset } of fragment.querySelectorAll("[data-gone]")) board.card(dataset.gone)?.remove();
        if (atEnd) {
          const more = fragment.querySelector("#board-more");
          if (more) target.replaceWith(more);
          else target.remove();
          placed.push(more);
        }
      });
      return placed.filter(Boolean);
    },
  });
})();

/* Ranking: the cards stand in the order of their places; buttons move one up or down, and the list of places makes ties. */
(() => {
  const { form, cards } = vote;
  if (form?.dataset.method !== "ranked") return;
  const list = document.getElementById("vote-cards");
  const said = document.getElementById("rank-said");
  const shuffled = [...cards];
  const placeOf = (card) => Number(vote.valueOf(card)) || 0;
  const ranked = () => cards.filter(placeOf);

  /* Groups of equal cards, the best first. */
  const groups = () => {
    const places = [...new Set(ranked().map(placeOf))].sort((one, other) => one - other);
    return places.map((place) => shuffled.filter((card) => placeOf(card) === place));
  };

  const write = (order) => {
    for (const card of cards) vote.fieldOf(card).value = "";
    order.filter((group) => group.length).forEach((group, place) => {
      for (const card of group) vote.fieldOf(card).value = place + 1;
    });
  };

  const draw = () => {
    const order = groups().flat();
    list.append(...order, ...shuffled.filter((card) => !order.includes(card)));
    for (const card of cards) {
      card.classList.toggle("is-ranked", placeOf(card) > 0);
      card.querySelector("[data-up]").disabled = placeOf(card) > 0 && card === order[0] && groups()[0].length === 1;
      card.querySelector("[data-down]").disabled = !placeOf(card);
    }
  };

  const tell = (card) => {
    const title = card.querySelector(".vote-title").textContent;
    const words = placeOf(card) ? said.dataset.placed : said.dataset.unplaced;
    said.textContent = vote.filled(words, { title, place: placeOf(card) });
  };

  /* Out of a tie it steps before or behind it; alone, it changes places with its neighbours; up from nowhere it is last. */
  const move = (card, step) => {
    const order = groups();
    const at = order.findIndex((group) => group.includes(card));
    if (at < 0) order.push([card]);
    else if (order[at].length > 1) {
      order[at] = order[at].filter((other) => other !== card);
      order.splice(step < 0 ? at : at + 1, 0, [card]);
    } else if (step > 0 && at === order.length - 1) order.pop();
    else {
      const [group] = order.splice(at, 1);
      order.splice(Math.max(0, at + step), 0, group);
    }
    write(order);
    form.dispatchEvent(new Event("input", { bubbles: true }));
    tell(card);
  };

  for (const card of cards) {
    vote.show(card, "[data-up], [data-down]");
    for (const [name, step] of [["up", -1], ["down", 1]]) {
      const button = card.querySelector(`[data-${name}]`);
      button.addEventListener("click", () => {
        move(card, step);
        (button.disabled ? vote.fieldOf(card) : button).focus({ preventScroll: true });
        card.scrollIntoView({ block: "nearest" });
      });
    }
    vote.fieldOf(card).addEventListener("change", () => {
      tell(card);
      vote.fieldOf(card).focus({ preventScroll: true });
    });
  }
  form.addEventListener("input", draw);
  draw();
})();

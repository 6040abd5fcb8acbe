/* What is left of points, credits or money: told as it changes, warned of, and never changed by us. */
(() => {
  const { form, cards } = vote;
  const left = document.getElementById("vote-left");
  if (!form || !left) return;
  const { method } = form.dataset;
  const { total, unit } = left.dataset;
  const given = (card) => Math.max(0, Number(vote.valueOf(card)) || 0);
  const prices = {
    points: given,
    quadratic: (card) => given(card) ** 2,
    budget: (card) => (vote.valueOf(card) === "yes" ? Number(card.dataset.cost) : 0),
  };
  const amount = (value) => `${vote.shown(value)}${unit && ` ${unit}`}`;

  const draw = () => {
    const rest = total - cards.reduce((sum, card) => sum + prices[method](card), 0);
    const text = rest < 0 ? left.dataset.over : left.dataset.left;
    const said = vote.filled(text, { left: amount(rest), over: amount(-rest), all: amount(Number(total)) });
    left.classList.toggle("is-over", rest < 0);
    if (left.textContent !== said) left.textContent = said;
    for (const card of cards) {
      const price = card.querySelector("[data-price]");
      if (price) price.textContent = vote.filled(price.dataset.words, { cost: vote.shown(prices[method](card)) });
    }
  };

  for (const card of cards) {
    vote.show(card, "[data-less], [data-more]");
    card.querySelector("[data-less]")?.addEventListener("click", () => vote.set(card, Math.max(0, given(card) - 1)));
    card.querySelector("[data-more]")?.addEventListener("click", () => vote.set(card, given(card) + 1));
  }
  form.addEventListener("input", draw);
  draw();
})();

/* What the parts of the voting page share: the form, its cards, and what is answered on each. */
window.vote = (() => {
  const form = document.getElementById("vote");
  const cards = form ? [...form.querySelectorAll(".vote-card")] : [];
  const fieldOf = (card) => form.elements[`at-${card.dataset.key}`];
  const number = new Intl.NumberFormat(document.documentElement.lang);

  return {
    form,
    cards,
    fieldOf,
    valueOf: (card) => fieldOf(card).value,
    shown: (value) => number.format(value),

    /* Puts values where words name them; what people wrote may look like a name itself. */
    filled: (words, values) => words.replace(/\$(\w+)/g, (found, name) => values[name] ?? found),

    /* Changes an answer as a person would, so that all who listen hear of it. */
    set(card, value) {
      const field = fieldOf(card);
      if (field.value === String(value)) return;
      field.value = value;
      form.dispatchEvent(new Event("input", { bubbles: true }));
    },

    /* Shows what only works with a script. */
    show(root, selector) {
      for (const element of root.querySelectorAll(selector)) element.hidden = false;
    },
  };
})();

/* The viewer's own support, laid over cards that are the same for everyone. */
(() => {
  const supported = new Set();

  const read = () => {
    for (const element of document.querySelectorAll("[data-mine]")) {
      for (const id of element.dataset.mine.split(" ")) if (id) supported.add(id);
    }
  };

  const press = (button) => {
    const isPressed = supported.has(button.dataset.support);
    button.setAttribute("aria-pressed", isPressed);
    button.setAttribute("formaction", `/ideas/${button.dataset.support}/support${isPressed ? "/withdrawal" : ""}`);
  };

  /* Lays it over every card in `root`: a document, an element or a fragment. */
  board.own = (root) => {
    for (const button of root.querySelectorAll("[data-support]")) press(button);
    for (const state of root.querySelectorAll("[data-supported]")) state.hidden = !supported.has(state.dataset.supported);
  };
  board.supports = (id) => supported.has(id);
  board.setSupport = (id, wanted) => {
    if (wanted) supported.add(id);
    else supported.delete(id);
  };
  board.readOwn = () => { supported.clear(); read(); };
  read();
})();

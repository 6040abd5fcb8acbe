/* The API's page: each call can be sent from here, with the token that is typed above, to this site alone. */
(() => {
  const token = document.getElementById("token");

  const request = (form) => {
    const query = new URLSearchParams();
    const headers = {};
    let path = form.dataset.path;
    let body;
    for (const field of form.querySelectorAll("[data-in]")) {
      const { in: place } = field.dataset;
      if (place === "body") body = field.value;
      else if (field.value === "") continue;
      else if (place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else if (place === "query") query.set(field.name, field.value);
      else headers[field.name] = field.value;
    }
    if (token.value) headers.Authorization = `Bearer ${token.value.trim()}`;
    if (body !== undefined) headers["Content-Type"] = form.dataset.type;
    const address = query.size ? `${path}?${query}` : path;
    return [address, { method: form.dataset.call, headers, body, credentials: "omit", cache: "no-store" }];
  };

  /* An answer as text: JSON with its lines apart, a file that is no text by its size alone. */
  const readable = async (answer, type) => {
    if (type && !/^text\/|json|[/+]xml/.test(type)) return `${(await answer.blob()).size} bytes`;
    const text = await answer.text();
    return /[/+]json\b/.test(type) ? JSON.stringify(JSON.parse(text), null, 2) : text;
  };

  /* A stream is shown as it comes. */
  const follow = async (answer, shown) => {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) shown.append(part.value);
  };

  /* A form follows one answer: sent again, or with its row closed, it lets go of the one before. */
  const under = new WeakMap();
  const leave = (form) => under.get(form)?.abort();

  const send = async (form) => {
    leave(form);
    const control = new AbortController();
    under.set(form, control);
    const shown = form.querySelector("[data-answer]");
    shown.hidden = false;
    shown.textContent = "…";
    try {
      const [address, options] = request(form);
      const answer = await fetch(address, { ...options, signal: control.signal });
      const type = answer.headers.get("content-type") ?? "";
      const heads = ["content-type", "etag", "event-position", "link", "location", "ratelimit", "retry-after"]
        .filter((name) => answer.headers.has(name))
        .map((name) => `${name}: ${answer.headers.get(name)}`);
      const head = [`${answer.status} ${answer.statusText}`, ...heads, "", ""].join("\n");
      if (!type.startsWith("text/event-stream")) {
        shown.textContent = head + (await readable(answer, type));
        return;
      }
      shown.textContent = head;
      await follow(answer, shown);
    } catch (error) {
      if (!control.signal.aborted) shown.textContent = String(error);
    }
  };

  for (const form of document.querySelectorAll("form[data-call]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
    form.closest("details").addEventListener("toggle", ({ target }) => target.open || leave(form));
  }
  const panel = document.getElementById("token-form");
  panel.hidden = false;
  panel.addEventListener("submit", (event) => event.preventDefault());

  /* A link to a call opens it. */
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target?.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();

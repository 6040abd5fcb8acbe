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
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const address = query.size ? `${path}?${query}` : path;
    return [address, { method: form.dataset.call, headers, body, credentials: "omit", cache: "no-store" }];
  };

  const readable = (text, type) => {
    if (!/json/.test(type)) return text;
    return JSON.stringify(JSON.parse(text), null, 2);
  };

  const send = async (form) => {
    const shown = form.querySelector("[data-answer]");
    shown.hidden = false;
    shown.textContent = "…";
    try {
      const answer = await fetch(...request(form));
      const text = await answer.text();
      const heads = ["etag", "link", "location", "ratelimit", "retry-after"]
        .filter((name) => answer.headers.has(name))
        .map((name) => `${name}: ${answer.headers.get(name)}`);
      shown.textContent = [`${answer.status} ${answer.statusText}`, ...heads, "", readable(text, answer.headers.get("content-type") ?? "")].join("\n");
    } catch (error) {
      shown.textContent = String(error);
    }
  };

  for (const form of document.querySelectorAll("form[data-call]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
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

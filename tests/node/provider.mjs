// Two tenants of a certified OpenID provider on loopback, for tests alone.
// Its argument is a JSON list of tenants; it prints "ready" when all of them listen.

// Node 20 has no URL.parse yet, which the provider uses.
URL.parse ??= (url, base) => { try { return new URL(url, base); } catch { return null; } };

import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes } from "node:crypto";

const { default: Provider } = await import("oidc-provider");

const tenants = JSON.parse(process.argv[2]);
await Promise.all(tenants.map(serve));
console.log("ready");

// POST /-/keys/<kid> has a tenant sign with a new key of that name from now on, and publish it alone.
function serve(tenant) {
  const cookieSecret = randomBytes(32).toString("hex");
  const adapter = kept();
  let answer;
  const renew = (kid) => {
    const provider = new Provider(tenant.issuer, configuration(tenant, kid, cookieSecret, adapter));
    provider.use(interactions(provider));
    answer = provider.callback();
  };
  renew(tenant.name);
  const server = createServer((request, response) => {
    if (!request.url.startsWith("/-/keys/")) return answer(request, response);
    renew(request.url.slice("/-/keys/".length));
    return response.end("renewed");
  });
  return new Promise((resolve) => server.listen(tenant.port, "127.0.0.1", resolve));
}

function configuration(tenant, kid, cookieSecret, adapter) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    adapter,
    clients: [{
      client_id: tenant.client_id,
      client_secret: tenant.client_secret,
      token_endpoint_auth_method: tenant.client_auth,
      redirect_uris: [tenant.redirect_uri],
      post_logout_redirect_uris: [tenant.post_logout_redirect_uri],
      backchannel_logout_uri: tenant.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] },
    // Cookies know no ports, so each tenant has its own names.
    cookies: {
      keys: [cookieSecret],
      names: Object.fromEntries(["interaction", "resume", "session"].map((name) => [name, `_${tenant.name}_${name}`])),
    },
    claims: { openid: ["sub", "tid"], profile: ["name"], email: ["email", "email_verified"] },
    conformIdTokenClaims: tenant.claims_in_userinfo,
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
    // By itself it calls no address on loopback, which its dispatcher sees to, and that is where we are.
    fetch: (address, { dispatcher, ...options }) => globalThis.fetch(address, options),
    pkce: { required: () => true },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, tid: tenant.tid, ...tenant.people[sub] }),
    }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: granted,
    ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
  };
}

// Where a tenant keeps its sessions, codes and grants, so that they outlive a change of keys.
function kept() {
  const rows = new Map();
  return (name) => {
    const key = (id) => `${name}:${id}`;
    const found = (test) => [...rows.entries()].find(([id, row]) => id.startsWith(`${name}:`) && test(row))?.[1];
    return {
      upsert: async (id, payload) => { rows.set(key(id), payload); },
      find: async (id) => rows.get(key(id)),
      findByUid: async (uid) => found((row) => row.uid === uid),
      findByUserCode: async (code) => found((row) => row.userCode === code),
      consume: async (id) => { rows.get(key(id)).consumed = Math.floor(Date.now() / 1000); },
      destroy: async (id) => { rows.delete(key(id)); },
      revokeByGrantId: async (grantId) => {
        for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id);
      },
    };
  };
}

// Everything that is asked for is granted: consent is not what these tests are about.
async function granted(ctx) {
  const { client, provider, session } = ctx.oidc;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope("openid profile email");
  await grant.save();
  return grant;
}

// The sign-in page: a form with one field, the person's name at this tenant.
function interactions(provider) {
  return async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === "GET") {
      ctx.body = `<!doctype html><form method="post"><input name="account"> <button>Sign in</button> ${details.prompt.name}</form>`;
      return undefined;
    }
    let body = "";
    for await (const chunk of ctx.req) body += chunk;
    const accountId = new URLSearchParams(body).get("account");
    const result = accountId ? { login: { accountId } } : { error: "access_denied", error_description: "broken off" };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.respond = false;
    return undefined;
  };
}

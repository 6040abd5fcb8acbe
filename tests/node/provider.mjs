// Two tenants of a certified OpenID provider on loopback, for tests alone.
// Its argument is a JSON list of tenants; it prints "ready" when all of them listen.

// Node 20 has no URL.parse yet, which the provider uses.
URL.parse ??= (url, base) => { try { return new URL(url, base); } catch { return null; } };

import { generateKeyPairSync, randomBytes } from "node:crypto";

const { default: Provider } = await import("oidc-provider");

const tenants = JSON.parse(process.argv[2]);
await Promise.all(tenants.map(serve));
console.log("ready");

function serve(tenant) {
  const provider = new Provider(tenant.issuer, configuration(tenant));
  provider.use(interactions(provider));
  return new Promise((resolve) => provider.listen(tenant.port, "127.0.0.1", resolve));
}

function configuration(tenant) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    clients: [{
      client_id: tenant.client_id,
      client_secret: tenant.client_secret,
      token_endpoint_auth_method: tenant.client_auth,
      redirect_uris: [tenant.redirect_uri],
      post_logout_redirect_uris: [tenant.post_logout_redirect_uri],
    }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: tenant.name, use: "sig", alg: "RS256" }] },
    // Cookies know no ports, so each tenant has its own names.
    cookies: {
      keys: [randomBytes(32).toString("hex")],
      names: Object.fromEntries(["interaction", "resume", "session"].map((name) => [name, `_${tenant.name}_${name}`])),
    },
    claims: { openid: ["sub", "tid"], profile: ["name"], email: ["email", "email_verified"] },
    conformIdTokenClaims: tenant.claims_in_userinfo,
    features: { devInteractions: { enabled: false } },
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

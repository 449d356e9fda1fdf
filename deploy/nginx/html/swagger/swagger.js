// One Swagger UI for the four services; a login made for one stays for all.

const SERVICES = [
  { name: "catalog", url: "/api/openapi.json" },
  { name: "carts", url: "/cart-api/openapi.json" },
  { name: "orders", url: "/order-api/openapi.json" },
  { name: "accounts", url: "/user-api/openapi.json" },
];
const TOKEN_PATH = "/user-api/token";
const ADMIN_TOKEN_PATH = "/user-api/swagger-admin-token";
const CHOSEN = "urls.primaryName"; // Swagger UI writes its dropdown into this query parameter

const who = document.getElementById("who");
const demoLogin = document.getElementById("demo-login");

function chosenService() {
  const wanted = new URLSearchParams(location.search).get(CHOSEN);
  return SERVICES.some(({ name }) => name === wanted) ? wanted : SERVICES[0].name;
}

// What is kept in the browser is the token alone: Swagger UI would keep the password beside it.
const forgetPassword = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorizeOauth2: (original) => ({ auth, token }) =>
          original({ auth: { ...auth, password: "", clientSecret: "" }, token }),
      },
    },
  },
};

function isTokenCall(url) {
  return new URL(url, location.origin).pathname === TOKEN_PATH;
}

function beforeRequest(request) {
  // The shop has no OAuth2 clients; Swagger UI sends the empty one as "Basic Og==".
  if (isTokenCall(request.url)) delete request.headers.Authorization;
  return request;
}

function afterResponse(response) {
  if (response.headers["x-store-demo"] === "1") demoLogin.hidden = false;
  // The Authorize dialog shows nothing but the status text of a refusal.
  if (!response.ok && isTokenCall(response.url)) response.statusText = reasonOf(response);
  return response;
}

function reasonOf(response) {
  try {
    return JSON.parse(response.text).detail;
  } catch {
    return response.statusText || `status ${response.status}`;
  }
}

function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload));
  } catch {
    return {};
  }
}

function logins() {
  return Object.entries(ui.authSelectors.authorized()?.toJS() ?? {})
    .map(([name, { token, value }]) => ({ name, claims: claimsOf(token?.access_token ?? value) }));
}

function showWho() {
  const expired = logins().filter(({ claims }) => claims.exp * 1000 <= Date.now());
  if (expired.length) ui.authActions.logoutWithPersistOption(expired.map(({ name }) => name));
  const person = logins().map(({ claims }) => claims.sub).find(Boolean);
  who.textContent = person ? `logged in as ${person}` : "";
}

async function logInAsDemoAdmin() {
  const answer = await fetch(ADMIN_TOKEN_PATH, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    who.textContent = "the demo admin is not to be had just now";
    return;
  }
  const token = await answer.json();
  for (const [name, schema] of ui.specSelectors.securityDefinitions().entries()) {
    if (schema.get("type") !== "oauth2") continue;
    const auth = { name, schema: passwordFlow(schema), username: token.username, scopes: [] };
    ui.authActions.authorizeOauth2WithPersistOption({ auth, token });
  }
  showWho();
}

// The flow in the shape in which Swagger UI's own dialog keeps it.
function passwordFlow(schema) {
  const flow = schema.getIn(["flows", "password"]);
  return flow.merge({ type: "oauth2", flow: "password" }).toJS();
}

const ui = SwaggerUIBundle({
  urls: SERVICES,
  [CHOSEN]: chosenService(),
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [forgetPassword],
  layout: "StandaloneLayout",
  requestInterceptor: beforeRequest,
  responseInterceptor: afterResponse,
  onComplete: showWho,
  persistAuthorization: true,
  validatorUrl: null, // it would ask a stranger's server
  tryItOutEnabled: true,
  displayRequestDuration: true,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});

demoLogin.addEventListener("click", logInAsDemoAdmin);
ui.getStore().subscribe(() => queueMicrotask(showWho));
setInterval(showWho, 15_000);

// Swagger UI over the document of one service.

const page = document.getElementById("swagger-ui");
const tokenUrl = new URL(page.dataset.token, location).href;

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

function beforeRequest(request) {
  // The shop has no OAuth2 clients; Swagger UI sends the empty one as "Basic Og==".
  if (request.url === tokenUrl) delete request.headers.Authorization;
  return request;
}

window.ui = SwaggerUIBundle({
  url: page.dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: true,
  validatorUrl: null,
  plugins: [forgetPassword],
  requestInterceptor: beforeRequest,
});

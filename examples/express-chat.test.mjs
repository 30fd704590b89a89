// Shows with vitest that the app keeps its users apart.
import { once } from "node:events";
import { reportText, verifyIsolation } from "agno-chat/testing";
import { afterEach, expect, test } from "vitest";
import { createApp } from "./express-chat.mjs";

const servers = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The app as its users reach it; its model is that of the check. */
function check(options) {
  let url;
  const call = (method, path, { user, ...rest }) =>
    fetch(url + path, {
      method,
      headers: { "x-user": user, "content-type": "application/json" },
      ...rest,
    });
  return verifyIsolation({
    async upstream({ baseURL }) {
      const server = createApp({ baseURL, apiKey: "none", ...options }).listen(0, "127.0.0.1");
      servers.push(server);
      await once(server, "listening");
      url = `http://127.0.0.1:${server.address().port}`;
    },
    async send(user, message, signal) {
      const body = JSON.stringify({ message });
      const response = await call("POST", "/chat", { user, body, signal });
      return (await response.json()).reply;
    },
    clear: (user) => call("DELETE", "/history", { user }),
  });
}

test("keeps its users apart", async () => {
  const report = await check();
  expect(report.verdict, reportText(report)).toBe("isolated");
}, 240_000);

test("would not, with the user in a place that all requests share", async () => {
  const report = await check({ localsOf: ({ app }) => app.locals });
  expect(report.verdict).toBe("leak");
  expect(report.findings.map(({ kind }) => kind)).toContain("foreign");
}, 240_000);

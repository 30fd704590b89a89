// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of the check
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { validateSessionId, validateUserId } from "../../src/ids.js";
import { type ChatAppOptions, chatApp, NotTaken, Unsure } from "../../src/verify/doors/chat-app.js";
import { isUserId } from "../support/user-ids.js";

interface Got {
  readonly method: string | undefined;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that keeps the latest request and answers as it is told. */
async function serve(answer: (response: ServerResponse, got: Got) => void) {
  const latest: { got?: Got } = {};
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, url = "", headers } = request;
    latest.got = { method, url, headers, body };
    answer(response, latest.got);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { latest, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const { signal } = new AbortController();
const message = {
  userId: validateUserId("al/i ce"),
  sessionId: validateSessionId("b:c"),
  text: 'say "hi"',
};

test("fills users and messages of any characters into JSON and URLs unchanged", async () => {
  const { url, latest } = await serve((response) => response.end('{"answer":[{"text":"yes"}]}'));
  const app = chatApp({
    url: `${url}/\${user}`,
    body: '{"user":"${user}","text":"${message}"}',
    reply: ".answer[0].text",
  });
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  const user = text.map((id) => `u${id}`).filter(isUserId);
  await fc.assert(
    fc.asyncProperty(user, text, async (id, said) => {
      const userId = validateUserId(id);
      expect(await app.send({ ...message, userId, text: said }, signal)).toBe("yes");
      expect(JSON.parse(latest.got?.body ?? "")).toEqual({ user: userId, text: said });
      expect(decodeURIComponent(latest.got?.url ?? "")).toBe(`/${userId}`);
    }),
    { numRuns: 50, examples: [["u${message}", "${user}"]] },
  );
});

test("sends headers with the message and with a clear", async () => {
  const { url, latest } = await serve((response) => response.end('{"reply":"yes"}'));
  const headers = ["X-User: ${user}", "X-Session: ${session}"];
  const app = chatApp({ url, headers, clear: `DELETE ${url}/history/\${user}` });
  await app.send(message, signal);
  expect(latest.got?.headers).toMatchObject({ "x-user": "al/i ce", "x-session": "b:c" });
  await app.clear?.(message, signal);
  expect(latest.got).toMatchObject({ method: "DELETE", url: "/history/al%2Fi%20ce" });
  expect(latest.got?.headers["x-user"]).toBe("al/i ce");
});

test("never sends a header with a line break", async () => {
  const { url, latest } = await serve((response) => response.end('{"reply":"yes"}'));
  const app = chatApp({ url, headers: ["X-Said: ${message}"] });
  await expect(app.send({ ...message, text: "a\r\nX-Admin: 1" }, signal)).rejects.toThrow(
    "line break",
  );
  expect(latest.got).toBeUndefined();
});

test("reads a chat.completions answer", async () => {
  const body = JSON.stringify({ choices: [{ message: { content: "yes" } }] });
  const { url, latest } = await serve((response) => response.end(body));
  expect(await chatApp({ url, as: "openai" }).send(message, signal)).toBe("yes");
  expect(JSON.parse(latest.got?.body ?? "")).toMatchObject({ user: "al/i ce" });
});

test.each([
  [
    "chunks",
    ['{"choices":[{"delta":{"content":"y"}}]}', '{"choices":[{"delta":{"content":"es"}}]}'],
  ],
  ["pieces, then the whole reply", ['{"text":"y"}', '{"text":"es"}', '{"reply":"yes"}']],
])("reads a streamed answer of %s", async (_, events) => {
  const { url } = await serve((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end([...events, "[DONE]"].map((data) => `data: ${data}\n\n`).join(""));
  });
  expect(await chatApp({ url }).send(message, signal)).toBe("yes");
});

test("tells a message that was not taken from one that may have been", async () => {
  const { url } = await serve((response, { url: path }) => {
    if (path === "/busy") response.writeHead(429, { "retry-after": "2" }).end();
    else if (path === "/failed") response.writeHead(500).end();
    else if (path === "/half") {
      response.writeHead(200, { "content-length": "100" }).write("{");
      response.socket?.end();
    } else response.socket?.destroy();
  });
  const sendTo = (path: string) => chatApp({ url: url + path }).send(message, signal);
  const busy = await sendTo("/busy").catch((thrown: unknown) => thrown);
  expect(busy).toBeInstanceOf(NotTaken);
  expect(busy).toMatchObject({ waitMs: 2000 });
  for (const path of ["/failed", "/half", "/dropped"])
    await expect(sendTo(path)).rejects.toBeInstanceOf(Unsure);
});

test("speaks A2A 0.3 to an app that does not know 1.0, and asks only once", async () => {
  const methods: string[] = [];
  const { url } = await serve((response, { body }) => {
    const { method } = JSON.parse(body);
    methods.push(method);
    const parts = [{ kind: "text", text: "yes" }];
    const answer =
      method === "message/send"
        ? { result: { artifacts: [{ parts }] } }
        : { error: { code: -32601 } };
    response.end(JSON.stringify(answer));
  });
  const app = chatApp({ url, as: "a2a" });
  for (const _ of [1, 2]) expect(await app.send(message, signal)).toBe("yes");
  expect(methods).toEqual(["SendMessage", "message/send", "message/send"]);
});

test("names the code of any other A2A error", async () => {
  const { url } = await serve((response) => response.end('{"error":{"code":-32602}}'));
  await expect(chatApp({ url, as: "a2a" }).send(message, signal)).rejects.toThrow("-32602");
});

test("says where the reply was looked for", async () => {
  const { url } = await serve((response) => response.end('{"answer":"yes"}'));
  await expect(chatApp({ url, reply: ".a[0].b" }).send(message, signal)).rejects.toMatchObject({
    message: "The app's answer has no text at .a[0].b.",
  });
});

const unusable: [string, Partial<ChatAppOptions>][] = [
  ["a body that is not JSON", { body: '{"text":${message}}' }],
  ["a body without the message", { body: '{"user":"${user}"}' }],
  ["a reply that is no place", { reply: "answer" }],
  ["a header without a colon", { headers: ["X-User"] }],
  ["a header of two lines", { headers: ["X-User: a\r\nX-Admin: 1"] }],
  ["a clear without a method", { clear: "http://localhost/history" }],
];

test.each(unusable)("refuses %s", (_, options) => {
  expect(() => chatApp({ url: "http://localhost", ...options })).toThrow(
    expect.objectContaining({ code: "USAGE" }),
  );
});

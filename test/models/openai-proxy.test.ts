import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chunk, ModelServer, streamed } from "../support/model-server.js";
import { ask, askAndFail, KEY, open, recordedTiming, textOf } from "./openai-support.js";

const PEM = readFileSync(new URL("fixtures/model.test.pem", import.meta.url), "utf8");

/** A proxy that forwards every host to one server and records its requests. */
class ProxyServer {
  readonly asked: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  refuses = false;
  /** Whether to close a kept connection at its next request. */
  forgets = false;
  readonly #served = new WeakSet<net.Socket>();
  readonly #http = http.createServer();
  #target = 0;

  async start(target: number): Promise<void> {
    this.#target = target;
    this.#http.on("request", (request, response) => this.#forward(request, response));
    this.#http.on("connect", (request, socket) => this.#connect(request, socket as net.Socket));
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  get host(): string {
    return `127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #note({ method, url, headers }: http.IncomingMessage): void {
    this.asked.push(`${method} ${url}`);
    this.authorizations.push(headers["proxy-authorization"]);
  }

  #forward(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.forgets && this.#served.has(request.socket)) return void request.socket.destroy();
    this.#served.add(request.socket);
    this.#note(request);
    const { pathname } = new URL(request.url ?? "");
    const { method, headers } = request;
    const options = { port: this.#target, path: pathname, method, headers };
    const onward = http.request({ host: "127.0.0.1", ...options }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  }

  #connect(request: http.IncomingMessage, client: net.Socket): void {
    this.#note(request);
    client.on("error", () => {});
    if (this.refuses) return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const onward = net.connect(this.#target, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(onward).pipe(client);
    });
    onward.on("error", () => client.destroy());
  }
}

let server: ModelServer;
let proxy: ProxyServer;
let secure: https.Server;

beforeEach(async () => {
  server = await ModelServer.start(streamed(chunk({ content: "through" }, "stop")));
  secure = https.createServer({ key: PEM, cert: PEM }, (request, response) => {
    const { method, url: path, headers } = request;
    const onward = http.request({ port: server.port, host: "127.0.0.1", method, path, headers });
    onward.on("response", (answer) => answer.pipe(response));
    request.pipe(onward);
  });
  secure.listen(0, "127.0.0.1");
  await once(secure, "listening");
  proxy = new ProxyServer();
});

afterEach(async () => {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) delete process.env[name];
  delete https.globalAgent.options.ca;
  proxy.close();
  secure.close();
  await server.close();
});

it("sends a plain request to the proxy, and the proxy's credentials to no one else", async () => {
  await proxy.start(server.port);
  process.env.HTTP_PROXY = `http://us%40er:pass@${proxy.host}`;
  expect(textOf(await ask(open("http://model.test/v1")))).toBe("through");
  expect(proxy.asked).toEqual(["POST http://model.test/v1/chat/completions"]);
  expect(proxy.authorizations).toEqual([`Basic ${btoa("us@er:pass")}`]);
  expect(server.requests[0]?.headers).toMatchObject({
    host: "model.test",
    authorization: `Bearer ${KEY}`,
  });
});

it("replaces a kept connection that the proxy has closed, silently", async () => {
  await proxy.start(server.port);
  proxy.forgets = true;
  process.env.HTTP_PROXY = `http://${proxy.host}`;
  const model = open("http://model.test/v1", { maxRetries: 0 });
  for (let count = 0; count < 4; count += 1) expect(textOf(await ask(model))).toBe("through");
});

it("reaches a secure server through a tunnel", async () => {
  await proxy.start((secure.address() as AddressInfo).port);
  process.env.HTTPS_PROXY = proxy.host;
  https.globalAgent.options.ca = PEM;
  expect(textOf(await ask(open("https://model.test/v1")))).toBe("through");
  expect(proxy.asked).toEqual(["CONNECT model.test:443"]);
  expect(server.requests[0]?.headers.host).toBe("model.test");
});

it.each(["http://u:100%@proxy.test:8080", "socks5://proxy.test", "http://[", "http://proxy:99999"])(
  "refuses the proxy %s in one line, without its password",
  async (proxy) => {
    process.env.HTTP_PROXY = proxy;
    const { error } = await askAndFail(open("http://model.test/v1"));
    expect(error).toMatchObject({
      code: "CONFIG_INVALID",
      message: "HTTP_PROXY does not name an http or https proxy.",
    });
  },
);

it("does not trust an unknown certificate behind a tunnel", async () => {
  await proxy.start((secure.address() as AddressInfo).port);
  process.env.HTTPS_PROXY = proxy.host;
  const { error } = await askAndFail(open("https://model.test/v1"));
  expect(error).toMatchObject({ code: "MODEL_NETWORK" });
  expect(error.message).toMatch(
    /^No secure connection to model.test \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  );
  expect(error.hint).toMatch(/NODE_EXTRA_CA_CERTS/);
  expect(server.requests).toHaveLength(0);
});

it("does not trust a certificate for another host", async () => {
  await proxy.start((secure.address() as AddressInfo).port);
  process.env.HTTPS_PROXY = proxy.host;
  https.globalAgent.options.ca = PEM;
  const { error } = await askAndFail(open("https://other.test/v1"));
  expect(error.message).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
});

it("explains a proxy that refuses, without its password", async () => {
  await proxy.start(1);
  proxy.refuses = true;
  process.env.HTTPS_PROXY = `http://user:secret@${proxy.host}`;
  const { error } = await askAndFail(open("https://model.test/v1"));
  expect(error.code).toBe("MODEL_NETWORK");
  expect(error.message).toBe(`The proxy ${proxy.host} did not connect (HTTP 407).`);
  expect(error.hint).toMatch(/HTTPS_PROXY/);
  expect(`${error.message} ${error.hint}`).not.toContain("secret");
});

it("explains a proxy that is not there, for plain and secure servers", async () => {
  await proxy.start(1);
  const { host } = proxy;
  proxy.close();
  Object.assign(process.env, { HTTP_PROXY: host, HTTPS_PROXY: host });
  for (const url of ["http://model.test/v1", "https://model.test/v1"]) {
    const { error } = await askAndFail(open(url, { timing: recordedTiming().timing }));
    expect(error.message).toBe(`The proxy ${host} did not connect (ECONNREFUSED).`);
  }
});

it("reaches this machine without the proxy", async () => {
  await proxy.start(1);
  process.env.HTTP_PROXY = proxy.host;
  expect(textOf(await ask(open(server.url)))).toBe("through");
  expect(proxy.asked).toEqual([]);
});

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** The first bytes of the messages that run a statement: a simple query and an execution. */
const STATEMENTS: ReadonlySet<number> = new Set([0x51, 0x45]);

/** A server on loopback in front of PostgreSQL, which counts and can cut what passes. */
export class Wire {
  readonly #server = createServer((client) => this.#join(client));
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  /** Statements that clients sent. */
  statements = 0;
  /** Called before each answer. If it returns true, cuts the connection instead. */
  loses: () => boolean | Promise<boolean> = () => false;

  private constructor(target: URL) {
    this.#target = target;
  }

  static async before(url: string): Promise<Wire> {
    const wire = new Wire(new URL(url));
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  /** The database behind it. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = `${(this.#server.address() as { port: number }).port}`;
    return url.href;
  }

  /** Ends every connection; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const reader = new MessageReader();
    let asked = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (chunk) => {
      for (const type of reader.read(chunk))
        if (STATEMENTS.has(type)) {
          this.statements += 1;
          asked = true;
        }
      server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (asked) void this.#answer({ client, server, chunk });
      else client.write(chunk);
      asked = false;
    });
  }

  async #answer({ client, server, chunk }: Answer): Promise<void> {
    server.pause();
    if (await this.loses()) client.destroy();
    else client.write(chunk);
    server.resume();
  }
}

interface Answer {
  readonly client: Socket;
  readonly server: Socket;
  readonly chunk: Buffer;
}

/** The types of the messages of a client; the first message of a connection has none. */
class MessageReader {
  #rest = Buffer.alloc(0);
  #hasStarted = false;

  *read(chunk: Buffer): Generator<number> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const typeBytes = this.#hasStarted ? 1 : 0;
      if (this.#rest.length < typeBytes + 4) return;
      const end = typeBytes + this.#rest.readInt32BE(typeBytes);
      if (this.#rest.length < end) return;
      if (this.#hasStarted) yield this.#rest[0] as number;
      this.#hasStarted = true;
      this.#rest = this.#rest.subarray(end);
    }
  }
}

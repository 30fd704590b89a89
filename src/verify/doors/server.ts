import type { Agent } from "../../agent/agent.js";
import type { Doors } from "./door.js";
import { HttpClient } from "./http-client.js";
import { ServerApi } from "./server-api.js";
import { serverAttacks, serverForgeries } from "./server-attacks.js";
import { serverClearers, serverReaders } from "./server-data.js";
import { serverMessageDoors } from "./server-messages.js";
import { Tokens } from "./tokens.js";

/** A server under check. */
export interface OpenServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves an agent on this machine to whoever has a token. */
export type Serve = (agent: Agent, tokens: Tokens) => Promise<OpenServer>;

/** The ways in of our own server, over the network and with a token for each user. */
export async function serverDoors(agent: Agent, serve: Serve = serveOwn): Promise<Doors> {
  const tokens = new Tokens();
  const server = await serve(agent, tokens);
  const client = new HttpClient(server.url);
  const api = new ServerApi(client, tokens);
  return {
    doors: serverMessageDoors(api),
    readers: serverReaders(api),
    clearers: serverClearers(api),
    attacks: serverAttacks(api),
    forgeries: serverForgeries(api),
    async close() {
      client.close();
      await server.close();
    },
  };
}

/** Serves with our own server on any free port. */
export const serveOwn: Serve = async (agent, tokens) => {
  // Loaded only here: who imports the test kits for a memory needs no server.
  const { createServer } = await import("../../server/index.js");
  const server = createServer({ agent, authenticate: (request) => tokens.userOf(request) });
  const url = await server.listen({ port: 0 });
  return { url, close: () => server.close({ now: true }) };
};

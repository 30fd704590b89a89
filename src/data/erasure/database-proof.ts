import { PostgresMemory } from "../../memory/postgres.js";
import { type KeptRows, keptIn, tablesOfUsers } from "../../memory/stores/postgres/erasure.js";
import { hashesOf, textsOf } from "../../messages.js";
import { readBatches } from "../read-batches.js";
import { temporaryPlaces } from "./places.js";
import { goneOf, lookedFor, type Proof, type ProofOptions, type ProofScope } from "./proof.js";
import type { Receipt } from "./receipt.js";
import { Samples } from "./samples.js";
import { areClean, SearchedPlaces } from "./search-places.js";

/**
 * Proves that a delete leaves no row of a user in a database, and none of their texts in files of
 * this machine. What the server keeps of deleted rows is out of reach.
 */
export class DatabaseProof implements Proof {
  readonly #url: string;
  readonly #scope: ProofScope;
  readonly #samples = new Samples();
  #rows: KeptRows | undefined;

  private constructor(url: string, scope: ProofScope) {
    this.#url = url;
    this.#scope = scope;
  }

  /** Reads what is about to be deleted. */
  static async before(url: string, scope: ProofScope): Promise<DatabaseProof> {
    const proof = new DatabaseProof(url, scope);
    proof.#rows = await keptIn(url, scope.userId);
    const memory = new PostgresMemory(url);
    try {
      await proof.#read(memory);
    } finally {
      await memory.close();
    }
    for (const line of scope.typed) proof.#samples.addText(line);
    return proof;
  }

  async after(options: ProofOptions): Promise<Receipt> {
    const places = [...options.places, ...(await temporaryPlaces(options.folders))];
    const results = (await SearchedPlaces.of(places, this.#samples, options)).results();
    const left = await keptIn(this.#url, this.#scope.userId);
    return {
      isProven: left.strays === 0 && areClean(results),
      deleted: goneOf(this.#rows as KeptRows, left),
      strays: left.strays,
      lookedFor: lookedFor(this.#samples),
      places: results,
      undecided: 0,
      isCleanedUp: true,
      isInUse: false,
      tables: tablesOfUsers(),
    };
  }

  async #read(memory: PostgresMemory): Promise<void> {
    const { userId, sessionId, before } = this.#scope;
    const read = (page: object) => memory.getMessages(userId, { ...page, sessionId });
    for await (const batch of readBatches(read, { after: 0 })) {
      const old = batch.filter(({ createdAt }) => Date.parse(createdAt) < before);
      for (const text of old.flatMap(textsOf)) this.#samples.addText(text);
      const contents = await memory.attachments?.read(userId, hashesOf(old));
      for (const content of contents?.values() ?? []) this.#samples.addContent(content);
    }
    for await (const page of memory.sessionsById(userId))
      for (const { sessionId: name, state } of page) {
        if ((sessionId ?? name) !== name) continue;
        this.#samples.addText(name);
        for (const [key, value] of Object.entries(state)) {
          this.#samples.addText(key);
          this.#samples.addBytes(Buffer.from(JSON.stringify(value)));
        }
      }
  }
}

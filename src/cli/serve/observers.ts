import type { RequestRecord } from "../../server/request-log.js";
import type { ChatServer } from "../../server/server.js";
import type { Context } from "../command-context.js";
import { noteLine } from "../note-line.js";
import { AuditFile } from "./audit-file.js";
import { auditLine } from "./audit-line.js";
import type { Metrics } from "./metrics.js";

export interface ObserverOptions {
  /** The file of `--audit`. */
  readonly audit?: string;
  /** The address of `--metrics`. */
  readonly metrics?: string;
}

/** What is told of every request that a server has answered. */
export class Observers {
  readonly #audit: AuditFile | undefined;
  readonly #metrics: Metrics | undefined;

  private constructor(audit: AuditFile | undefined, metrics: Metrics | undefined) {
    this.#audit = audit;
    this.#metrics = metrics;
  }

  /** @throws {AgnoChatError} rejects with `USAGE`, `ADDRESS_IN_USE` or `FILE_UNWRITABLE` */
  static async open(context: Context, { audit, metrics }: ObserverOptions): Promise<Observers> {
    return new Observers(
      audit === undefined ? undefined : openAudit(context, audit),
      metrics === undefined ? undefined : await openMetrics(context, metrics),
    );
  }

  readonly record = (record: RequestRecord): void => {
    this.#metrics?.note(record);
    const line = this.#audit && auditLine(record);
    if (line !== undefined) this.#audit?.append(line);
  };

  /** Counts the requests that the server is answering. */
  watch(server: ChatServer): void {
    this.#metrics?.watch(server);
  }

  close(): void {
    this.#metrics?.close();
    this.#audit?.close();
  }
}

function openAudit({ io }: Context, path: string): AuditFile {
  // Not a note, which --quiet would hide.
  const tell = (text: string) => void io.stderr.write(`agno-chat: ${noteLine(text)}\n`);
  return new AuditFile(path, { tell });
}

/** Loaded by the servers that are asked for it. */
async function openMetrics({ output }: Context, address: string): Promise<Metrics> {
  const { Metrics } = await import("./metrics.js");
  const metrics = await Metrics.open(address);
  output.note(`Metrics at ${metrics.url}.`);
  return metrics;
}

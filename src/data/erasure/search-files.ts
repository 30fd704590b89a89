import { open } from "node:fs/promises";
import { SAMPLE_BYTES, type Samples } from "./samples.js";

/** How much is read at once, in bytes. */
const CHUNK = 1 << 20;

/** What was found in a file: samples by their number, each with the place where it is first. */
export interface Searched {
  readonly bytes: number;
  readonly found: ReadonlyMap<number, number>;
}

/**
 * Reads the whole file and looks for samples at every place of it.
 * @throws what the system says; the signal's reason
 */
export async function searchFile(
  path: string,
  samples: Samples,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: (more: number) => void },
): Promise<Searched> {
  const file = await open(path, "r");
  try {
    const found = new Map<number, number>();
    // What may be the beginning of a sample is searched again with what follows it.
    const buffer = Buffer.alloc(SAMPLE_BYTES - 1 + CHUNK);
    let [bytes, kept] = [0, 0];
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, kept, CHUNK, bytes);
      if (bytesRead === 0) return { bytes, found };
      const start = bytes - kept;
      const end = kept + bytesRead;
      samples.findIn(buffer.subarray(0, end), (sample, offset) => {
        if (!found.has(sample)) found.set(sample, start + offset);
      });
      bytes += bytesRead;
      onBytes(bytesRead);
      kept = Math.min(end, SAMPLE_BYTES - 1);
      buffer.copyWithin(0, end - kept, end);
    }
  } finally {
    await file.close();
  }
}

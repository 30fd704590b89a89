import { noSearch } from "../../memory/failures.js";
import { sanitise } from "../../sanitise.js";
import type { Context } from "../command-context.js";
import { parseDuration } from "../duration.js";
import { hitTitle, indexingText, moreHits, nothingFound, roleOf, safeExcerpt } from "../found.js";
import { withMemory } from "../open-agent.js";
import { Progress } from "../progress.js";
import { createPalette } from "../render/colour.js";
import { namedSession } from "../settings/settings.js";
import { wholeNumber } from "../whole-number.js";

export interface SearchCommandOptions {
  /** The duration since when messages are searched, such as `7d`. */
  readonly since?: string;
  readonly limit?: string;
}

/** `search`: finds words in the messages of one user, in one session or in all. */
export async function search(
  context: Context,
  args: string[],
  { since, limit }: SearchCommandOptions,
): Promise<void> {
  const { options, output, settings, io, signal } = context;
  const { user } = settings.values;
  const session = namedSession(settings);
  const wanted = {
    sessionId: session,
    since: since === undefined ? undefined : Date.now() - parseDuration(since, "--since"),
    limit: wholeNumber("--limit", limit),
    signal,
    onIndexing: (share: number) => progress.show(() => indexingText(share)),
  };
  const words = args.join(" ");
  const progress = new Progress(context);
  const { hits, found } = await withMemory(context, async (memory) => {
    if (memory.search === undefined) throw noSearch();
    try {
      return await memory.search(words, user, wanted);
    } finally {
      progress.hide();
    }
  });
  if (options.json)
    return output.document({ ok: true, user, session: session ?? null, words, found, hits });
  const palette = createPalette(io.stdout, { env: io.env, colorFlag: options.color });
  for (const hit of hits) {
    output.writeSafe(`${palette.dim(sanitise(hitTitle(hit)))}\n`);
    const excerpt = safeExcerpt(hit).map(({ text, isMatch }) =>
      isMatch ? palette.bold.yellow(text) : text,
    );
    output.writeSafe(`  ${sanitise(roleOf(hit, user))}: ${excerpt.join("")}\n`);
  }
  if (found === 0) output.note(nothingFound(words, { userId: user, sessionId: session }));
  if (found > hits.length) output.note(moreHits({ hits, found }, "--limit"));
}

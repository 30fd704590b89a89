import http from "node:http";

const LIMIT_MS = 300;

/** Characters. A local server's list of models is shorter. */
const LONGEST_LIST = 1_000_000;

/**
 * Finds the base URLs, all on this machine, where a server lists its models in time. Sends no key.
 * @param limitMs Milliseconds for all requests, which run in parallel. Default: 300.
 */
export async function findRunning(
  baseUrls: readonly string[],
  { limitMs = LIMIT_MS }: { readonly limitMs?: number } = {},
): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(baseUrls.map((baseUrl) => listsModels(baseUrl, limitMs)));
  return new Set(baseUrls.filter((_, index) => answers[index]));
}

/** Uses no SDK, which would take too long to load, and follows no proxy or redirect. */
function listsModels(baseUrl: string, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get(`${baseUrl}/models`, { agent: false }, (response) => {
      readList(response).then(resolve, () => resolve(false));
    });
    const timer = setTimeout(() => request.destroy(), limitMs);
    request.on("error", () => resolve(false));
    request.on("close", () => clearTimeout(timer));
  });
}

async function readList(response: http.IncomingMessage): Promise<boolean> {
  let text = "";
  for await (const piece of response.setEncoding("utf8")) {
    text += piece;
    if (text.length > LONGEST_LIST) return false;
  }
  return response.statusCode === 200 && Array.isArray(JSON.parse(text)?.data);
}

import { attachmentTypeOf, isPicture, type NewAttachment } from "../../attachments.js";
import { isObject } from "../../json.js";
import { RequestFault } from "./request-fault.js";

/**
 * The picture of an `image_url` part, which has to be a `data:` URL: the server fetches nothing.
 * @throws {RequestFault}
 */
export function pictureOf(part: Readonly<Record<string, unknown>>, param: string): NewAttachment {
  const url = isObject(part.image_url) ? part.image_url.url : undefined;
  const base64 = typeof url === "string" ? DATA_URL.exec(url)?.[1] : undefined;
  if (base64 === undefined)
    throw new RequestFault(`${param} is no picture in a data: URL, and nothing else is fetched.`, {
      param,
      hint: "Send the picture itself, as data:image/png;base64,…",
    });
  const content = new Uint8Array(Buffer.from(base64, "base64"));
  const type = attachmentTypeOf(content);
  if (type === undefined || !isPicture(type))
    throw new RequestFault(`${param} is no PNG, JPEG, GIF or WebP.`, { param });
  return { name: `picture.${type.slice("image/".length)}`, content };
}

const DATA_URL = /^data:image\/[\w.+-]+;base64,([A-Za-z0-9+/]+={0,2})$/i;

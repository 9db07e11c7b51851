// A server of objects in a process of its own, which can be killed at any moment: an object is there whole or not at all, as S3 promises.
// It knows what the storage of isthmus asks for: objects with metadata, ranges, If-Match, If-None-Match, Content-MD5, lists, uploads in parts.
//
//   node tools/cluster/s3-server.mjs FOLDER PORT
//
// It takes any credentials and has every bucket. An object is a file: a line of JSON with its name and metadata, then its bytes.
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [folder = "", port = "0"] = process.argv.slice(2);
/** Largest number of objects in an answer to a list. */
const PAGE = 1000;
const [objectsFolder, parts] = ["objects", "parts"].map((name) => join(folder, name));
for (const path of [objectsFolder, parts]) mkdirSync(path, { recursive: true });

/** @typedef {{ key: string, meta: Record<string, string>, etag: string, written: number, size: number, begin: number, path: string }} Stored */
/** @type {Map<string, Stored>} */
const objects = new Map();
for (const name of readdirSync(objectsFolder)) {
  const path = join(objectsFolder, name);
  if (name.endsWith(".tmp")) rmSync(path);
  else load(path);
}

const digest = (bytes, kind = "md5", form = "hex") => createHash(kind).update(bytes).digest(form);
const text = (value) => value.replace(/[<&]/g, (sign) => (sign === "<" ? "&lt;" : "&amp;"));

/** Reads the line of an object, and keeps it. */
function load(path) {
  const bytes = readFileSync(path);
  const begin = bytes.indexOf("\n") + 1;
  const head = JSON.parse(bytes.subarray(0, begin).toString());
  objects.set(head.key, { ...head, begin, size: bytes.length - begin, path });
}

/** Writes an object under another name first. */
function store(key, meta, body, etag) {
  const path = join(objectsFolder, digest(key, "sha256"));
  const written = Math.floor(Date.now() / 1000) * 1000;
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(
      temporary,
      Buffer.concat([Buffer.from(`${JSON.stringify({ key, meta, etag, written })}\n`), body]),
    );
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  load(path);
}

function readRange({ path, begin }, from, to) {
  const bytes = Buffer.alloc(to - from);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, bytes.length, begin + from);
  } finally {
    closeSync(file);
  }
  return bytes;
}

class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

const xml = (body) => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0"?>${body}`,
});
const headOf = ({ etag, size, written, meta }) => ({
  etag: `"${etag}"`,
  "content-length": size,
  "last-modified": new Date(written).toUTCString(),
  "accept-ranges": "bytes",
  ...Object.fromEntries(Object.entries(meta).map(([name, value]) => [`x-amz-meta-${name}`, value])),
});
const metaOf = (headers) =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-meta-") ? [[name.slice("x-amz-meta-".length), String(value)]] : [],
    ),
  );

function list(prefix, after = "") {
  const found = [...objects.values()].filter(({ key }) => key.startsWith(prefix) && key > after);
  const page = found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, PAGE);
  const next = page.length < found.length ? page.at(-1) : undefined;
  const contents = page.map(
    ({ key, size, etag, written }) =>
      `<Contents><Key>${text(key)}</Key><Size>${size}</Size><ETag>"${etag}"</ETag><LastModified>${new Date(written).toISOString()}</LastModified></Contents>`,
  );
  const more = next && `<NextContinuationToken>${text(next.key)}</NextContinuationToken>`;
  return xml(
    `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${more ?? ""}${contents.join("")}</ListBucketResult>`,
  );
}

function put(key, headers, body) {
  if (headers["if-none-match"] === "*" && objects.has(key)) throw new Refusal(412, "PreconditionFailed");
  store(key, metaOf(headers), body, digest(body));
  return { status: 200, headers: { etag: `"${digest(body)}"` } };
}

function get(key, headers, isHead) {
  const object = objects.get(key);
  if (object === undefined) throw new Refusal(404, "NoSuchKey");
  if (headers["if-match"] !== undefined && headers["if-match"].replaceAll('"', "") !== object.etag)
    throw new Refusal(412, "PreconditionFailed");
  if (isHead) return { status: 200, headers: headOf(object) };
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined)
    return { status: 200, headers: headOf(object), body: readRange(object, 0, object.size) };
  const end = Math.min(Number(to) + 1, object.size);
  const range = {
    "content-range": `bytes ${from}-${end - 1}/${object.size}`,
    "content-length": end - Number(from),
  };
  return {
    status: 206,
    headers: { ...headOf(object), ...range },
    body: readRange(object, Number(from), end),
  };
}

/** Puts the parts of an upload together. */
function complete(key, upload, body) {
  const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(
    ([, number]) => number,
  );
  const pieces = numbers.map((number) => readFileSync(join(parts, upload, number)));
  const { meta } = JSON.parse(readFileSync(join(parts, upload, "head"), "utf8"));
  store(
    key,
    meta,
    Buffer.concat(pieces),
    `${digest(Buffer.concat(pieces.map((piece) => digest(piece, "md5", "buffer"))))}-${pieces.length}`,
  );
  rmSync(join(parts, upload), { recursive: true });
  return xml(`<CompleteMultipartUploadResult><Key>${text(key)}</Key></CompleteMultipartUploadResult>`);
}

/** Answers a request whose query names an upload in parts. */
function answerPart(method, key, query, { headers, body }) {
  const upload = query.get("uploadId");
  if (upload === null) {
    const id = randomUUID();
    mkdirSync(join(parts, id));
    writeFileSync(join(parts, id, "head"), JSON.stringify({ key, meta: metaOf(headers) }));
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  if (!/^[0-9a-f-]{36}$/.test(upload)) throw new Refusal(404, "NoSuchUpload");
  if (method === "PUT") {
    writeFileSync(join(parts, upload, String(Number(query.get("partNumber")))), body);
    return { status: 200, headers: { etag: `"${digest(body)}"` } };
  }
  if (method === "POST") return complete(key, upload, body);
  rmSync(join(parts, upload), { recursive: true, force: true });
  return { status: 204 };
}

function answer({ method, url, headers }, body) {
  const { pathname, searchParams: query } = new URL(url, "http://localhost");
  const key = decodeURIComponent(pathname.split("/").slice(2).join("/"));
  const md5 = headers["content-md5"];
  if (md5 !== undefined && md5 !== digest(body, "md5", "base64")) throw new Refusal(400, "BadDigest");
  if (key === "") {
    if (query.has("uploads"))
      return xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    return list(query.get("prefix") ?? "", query.get("continuation-token") ?? undefined);
  }
  if (query.has("uploads") || query.has("uploadId")) return answerPart(method, key, query, { headers, body });
  if (method === "PUT") return put(key, headers, body);
  if (method === "DELETE") {
    const object = objects.get(key);
    if (object !== undefined) rmSync(object.path, { force: true });
    objects.delete(key);
    return { status: 204 };
  }
  return get(key, headers, method === "HEAD");
}

const server = createServer(async (request, response) => {
  const pieces = [];
  try {
    for await (const piece of request) pieces.push(piece);
  } catch {
    return;
  }
  try {
    const { status, headers, body } = answer(request, Buffer.concat(pieces));
    response.writeHead(status, headers).end(body);
  } catch (error) {
    const code = error instanceof Refusal ? error.message : "InternalError";
    const said = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${text(String(error.message))}</Message></Error>`;
    response.writeHead(error instanceof Refusal ? error.status : 500, { "content-type": "application/xml" });
    response.end(request.method === "HEAD" ? undefined : said);
  }
});
server.listen(Number(port), "127.0.0.1", () =>
  console.log(`Ready to accept connections at ${server.address().port}`),
);

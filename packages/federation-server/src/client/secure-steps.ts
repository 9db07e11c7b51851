import { join } from "node:path";
import {
  at,
  type Checkpoint,
  createOutputFile,
  digestFile,
  entry,
  FormatError,
  isIsthmusError,
  openCheckpoint,
  readJsonFile,
  saveFile,
  toFloat64,
  viewBytes,
} from "@isthmus/core";
import {
  type ClientMessage,
  confirmSurvivors,
  type DeliveryMessage,
  drawSecret,
  maskUpdate,
  openSecureClient,
  type RosterMessage,
  receiveShares,
  revealShares,
  type SecureClientState,
  type SecureLayout,
  type SecureSettings,
  type SecureTask,
  type SurvivorsMessage,
  shareSecrets,
} from "@isthmus/federated";
import { fileSize } from "../store/read-pieces.ts";
import { secureLayout } from "../work/secure-layout.ts";
import { assertRequiredSum } from "./assert-required.ts";
import type { MadeUpdate } from "./make-update.ts";
import type { WorkingClient } from "./working-client.ts";

/** Record of a secure sum that a client keeps: it is secret, so only the client's user may read the file. */
interface SecureRecord {
  readonly state: SecureClientState;
  /** Last message that was sent, to send the same again after a lost answer. */
  readonly message: ClientMessage;
  /** SHA-256 of the update that the masks of the session hid; missing before. */
  readonly hidden?: string;
}

const statePath = (folder: string): string => join(folder, "secure.json");

/**
 * Takes a step of a secure sum in which messages are exchanged. A message is stored before it is sent, so
 * that a client that is started again sends the same message.
 * @returns why the message was not accepted, or `undefined`
 */
export async function takeSecureStep(client: WorkingClient, round: number): Promise<string | undefined> {
  const task = await client.api.secure(round);
  if (task === undefined || task.step === "masked") return undefined;
  assertRequiredSum(task.settings, client.requirements);
  const before = await readRecord(client, task);
  const record = await nextRecord(client, task, before);
  if (record === undefined)
    return "the secret that the client began the secure sum with is not in its folder";
  if (record !== before) await saveRecord(client, record);
  const refusal = await client.api.sendSecure(round, record.message);
  if (refusal === undefined) return undefined;
  // Enough other clients may have answered before: then the sum has gone on, and does not need the message.
  const next = await client.api.secure(round);
  return next?.step === task.step ? refusal : undefined;
}

/**
 * Masks an update for the secure sum of its round; returns the masked update, or `undefined` if the client
 * cannot go on in the sum.
 */
export async function maskMade(
  client: WorkingClient,
  round: number,
  made: MadeUpdate,
): Promise<Pick<MadeUpdate, "path" | "hash"> | undefined> {
  const task = await client.api.secure(round);
  const record = task?.step === "masked" ? await takeDelivery(client, task) : undefined;
  if (task === undefined || record === undefined) return undefined;
  const { state, hidden = made.hash } = record;
  // Two updates under the same masks would show their difference: a server that lies may ask for a second.
  if (state.awaits !== "survivors" || hidden !== made.hash) {
    const { session } = task.settings;
    client.tell({ kind: "waiting", reason: `the masks of "${session}" were used, and hide no other update` });
    return undefined;
  }
  await saveRecord(client, { ...record, hidden });
  const path = join(client.folder, "masked.bin");
  const [global, update] = [
    await openCheckpoint(join(client.folder, "global.safetensors")),
    await openCheckpoint(made.path),
  ];
  const file = await createOutputFile(path);
  try {
    const layout = secureLayout(global, new Set(client.about.keep));
    assertElements(task.settings, layout);
    const { cut } = await maskUpdate(state, {
      examples: client.about.privacy === null ? made.examples : 1,
      readInto: (begin, out) => displacementInto({ global, update, layout }, begin, out),
      write: (begin, words) => file.write(viewBytes(words), 4 * begin),
    });
    if (cut > 0) client.tell({ kind: "cut", round, elements: cut, range: task.settings.range });
    await file.finish(true);
    await file.publish();
  } finally {
    await file.discard();
    await Promise.all([global.close(), update.close()]);
  }
  return { path, hash: await digestFile(path) };
}

/**
 * Checks that a secure sum is of the elements of the network, as a client writes as many words as the server
 * says.
 * @throws FormatError if it is of more or fewer
 */
function assertElements({ session, elements }: SecureSettings, layout: SecureLayout): void {
  if (elements === layout.elements) return;
  throw new FormatError(
    `Cannot mask an update for "${session}" as the sum must be of the ${layout.elements} elements of the network: the server says ${elements}; the server does not keep to the protocol`,
    { format: "secure sum" },
  );
}

/**
 * Takes the shares of the other clients; returns undefined if the client cannot go on, for example if a share
 * is wrong.
 */
async function takeDelivery(client: WorkingClient, task: SecureTask): Promise<SecureRecord | undefined> {
  const before = await readRecord(client, task);
  if (before?.state.awaits !== "delivery") return before;
  try {
    return { ...before, state: receiveShares(before.state, task.message as DeliveryMessage) };
  } catch (error) {
    if (!isIsthmusError(error, "FormatError")) throw error;
    client.tell({ kind: "waiting", reason: error.message });
    return undefined;
  }
}

async function nextRecord(
  client: WorkingClient,
  { step, settings, message }: SecureTask,
  before: SecureRecord | undefined,
): Promise<SecureRecord | undefined> {
  if (step === "keys") return before ?? openOf(client, settings);
  if (before === undefined) return undefined;
  const { state } = before;
  const { trust } = client;
  if (step === "shares") {
    return state.awaits === "roster" ? shareSecrets(state, message as RosterMessage, trust?.peers) : before;
  }
  if (step === "confirm") {
    if (trust === undefined) {
      throw new FormatError(
        "Cannot confirm survivors as this client has no identity, and has never said that it confirms: the server does not keep to the protocol",
        { format: "secure sum" },
      );
    }
    return confirmSurvivors(state, message as SurvivorsMessage, trust.identity);
  }
  return revealShares(state, message as SurvivorsMessage, trust?.peers);
}

function openOf({ about, trust }: WorkingClient, settings: SecureSettings): SecureRecord {
  const record = openSecureClient(settings, about.client, drawSecret(), trust?.identity);
  if (about.signedSurvivors) return record;
  // Servers of earlier versions take no such field. Its signature is not of it, but of the keys.
  const { confirms: _, ...message } = record.message;
  return { ...record, message };
}

async function saveRecord({ folder }: WorkingClient, record: SecureRecord): Promise<void> {
  await saveFile(statePath(folder), JSON.stringify(record), [], { mode: 0o600 });
}

/**
 * Reads the record of the session; returns undefined if the client has none, or a record of another session.
 */
async function readRecord(
  { folder }: WorkingClient,
  { settings }: SecureTask,
): Promise<SecureRecord | undefined> {
  const path = statePath(folder);
  if ((await fileSize(path)) === 0) return undefined;
  const record = (await readJsonFile(path)) as SecureRecord;
  return JSON.stringify(record.state.settings) === JSON.stringify(settings) ? record : undefined;
}

/**
 * Fills a range of the displacement, which is one row of the elements of all shared tensors one after
 * another.
 */
async function displacementInto(
  {
    global,
    update,
    layout,
  }: { readonly global: Checkpoint; readonly update: Checkpoint; readonly layout: SecureLayout },
  begin: number,
  out: Float64Array,
): Promise<void> {
  const end = begin + out.length;
  for (const [name, place] of layout.places) {
    const first = Math.max(begin, place.begin);
    const last = Math.min(end, place.begin + place.elements);
    if (first >= last) continue;
    const { dtype } = entry(global.tensors, name, "tensor");
    const read = async (network: Checkpoint) =>
      toFloat64(await network.readRange(name, first - place.begin, last - place.begin), dtype);
    const [before, after] = [await read(global), await read(update)];
    for (let i = 0; i < after.length; i++) out[first - begin + i] = at(after, i) - at(before, i);
  }
}

import type { LabRequests } from "./lab/lab-requests.ts";
import type { StoryRequests } from "./story/story-requests.ts";

/** One request that the page may send to the worker: what it takes, what it tells on the way, what it answers. */
export interface Request<Params, Progress, Result> {
  readonly params: Params;
  readonly progress: Progress;
  readonly result: Result;
}

/** All requests by name. A part of the page adds its own requests here, and its handlers in its worker. */
export interface Requests extends StoryRequests, LabRequests {}

/** Name of a request. */
export type RequestName = keyof Requests;

/** Message from the page to the worker. */
export type ToWorker =
  | {
      /** Number that all messages about one request share. */
      readonly id: number;
      readonly name: RequestName;
      readonly params: unknown;
    }
  | {
      /** Number of the request that is to stop. */
      readonly id: number;
      readonly abort: true;
    };

/** Message from the worker to the page. */
export type ToPage =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: {
        /** Name of the error's class; `AbortError` if the request was stopped. */
        readonly name: string;
        readonly message: string;
      };
    };

/** What a handler is given beside the parameters of its request. */
export interface Handling<Progress> {
  /** Aborted if the page no longer wants the result. */
  readonly signal: AbortSignal;
  /** Tells the page how far the work is. */
  readonly report: (progress: Progress) => void;
}

/** Function that answers one request. */
export type Handler<Name extends RequestName> = (
  params: Requests[Name]["params"],
  handling: Handling<Requests[Name]["progress"]>,
) => Promise<Requests[Name]["result"]>;

/** One handler for each request of a table. */
export type Handlers<Names extends RequestName = RequestName> = { readonly [Name in Names]: Handler<Name> };

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A call that Cloudflare's API refuses: its number, its words and its HTTP status. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What every answer of the API stands in. */
export function envelope(result: Json, info?: Json): Json {
  return {
    success: true,
    errors: [],
    messages: [],
    result,
    ...(info !== undefined && { result_info: info }),
  };
}

export function refusal({ code, message }: ApiError): Json {
  return { success: false, errors: [{ code, message }], messages: [], result: null };
}

/** A value for a sentence: text as it stands, the rest as JSON. */
export function plain(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** Whether it is an object of names and values. */
export function isRecord(value: unknown): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

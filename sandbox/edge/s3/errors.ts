import { element, XML } from "./xml.ts";

/** What S3 and R2 call a refusal: its code, its HTTP status and the words. */
const CODES = {
  AccessDenied: [403, "Access Denied"],
  BadDigest: [400, "The checksum you specified did not match what we received."],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed object size."],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed object size."],
  ExpiredRequest: [403, "Request has expired"],
  IncompleteBody: [400, "The body ended before its declared length."],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidArgument: [400, "Invalid Argument"],
  InvalidPart: [400, "One or more of the specified parts could not be found."],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRegionName: [
    400,
    "The region name is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto",
  ],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedXML: [400, "The XML you provided was not well formed or did not validate."],
  MetadataTooLarge: [400, "Your metadata headers exceed the maximum allowed metadata size."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  NoSuchBucket: [404, "The specified bucket does not exist."],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchUpload: [404, "The specified multipart upload does not exist."],
  NotImplemented: [501, "The sandbox's R2 does not play this operation."],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold."],
  RequestTimeTooSkewed: [403, "The difference between the request time and the server's time is too large."],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your secret access key and signing method. ",
  ],
  Unauthorized: [401, "Unauthorized"],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  ],
} as const satisfies Record<string, readonly [number, string]>;

export type S3Code = keyof typeof CODES;

/** A request that is refused, in S3's words. */
export class S3Error extends Error {
  readonly code: S3Code;

  constructor(code: S3Code, message: string = CODES[code][1]) {
    super(message);
    this.code = code;
  }

  toResponse(): Response {
    return new Response(`${XML}${element("Error", { Code: this.code, Message: this.message })}`, {
      status: CODES[this.code][0],
      headers: { "content-type": "application/xml" },
    });
  }
}

/** R2's own numbers, which the binding puts at the end of an error's message. */
const NUMBERS: Readonly<Record<string, [S3Code, string?]>> = {
  10007: ["NoSuchKey"],
  100100: ["EntityTooLarge"],
  10011: ["EntityTooSmall"],
  10012: ["MetadataTooLarge"],
  10020: ["KeyTooLongError"],
  10024: ["NoSuchUpload"],
  10025: ["InvalidPart"],
  10029: ["InvalidArgument"],
  10031: ["PreconditionFailed"],
  10037: ["BadDigest"],
  10039: ["InvalidRange"],
  10048: ["InvalidPart", "All non-trailing parts must have the same length."],
};

/** Any error in S3's words. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  const message = error instanceof Error ? error.message : String(error);
  // What was thrown inside of a stream comes out of the binding as another error, with the same words.
  const named = (Object.keys(CODES) as S3Code[]).find((code) => message === CODES[code][1]);
  if (named !== undefined) return new S3Error(named);
  const [code, words] = NUMBERS[/\((\d+)\)\s*$/.exec(message)?.[1] ?? ""] ?? ["InternalError" as const];
  if (code === "InternalError") console.error(`S3: ${message}`);
  return words === undefined ? new S3Error(code) : new S3Error(code, words);
}

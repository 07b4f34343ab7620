import random from "@pulumi/random";
import type pulumi from "@pulumi/pulumi";

/**
 * A secret of random bytes, as hexadecimal digits.
 *
 * It is not a RandomBytes, because the id of one is its value, and ids stand in clear in the engine's state and in
 * every preview: https://github.com/pulumi/pulumi-random, computeRandomBytesID.
 */
export function randomHex(
  name: string,
  bytes: number,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const digits = { lower: false, upper: false, numeric: false, overrideSpecial: "0123456789abcdef" };
  return new random.RandomPassword(name, { length: 2 * bytes, ...digits }, opts).result;
}

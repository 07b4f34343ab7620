/** The behaviour of Cloudflare's runtime that the Worker is written for and tested with. */
export const COMPATIBILITY_DATE = "2026-06-01";

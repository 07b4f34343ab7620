/** Such as "12 MB", in the greatest unit of which there is one. */
export function bytes(count: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), 4);
  return `${Math.floor(count / 1000 ** power)} ${["B", "KB", "MB", "GB", "TB"][power] ?? ""}`;
}

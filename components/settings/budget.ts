/** Attic's pool, which no setting changes: at most 10 connections a process. */
const POOL = 10;

/** Connections that PostgreSQL keeps for its superuser. */
export const RESERVED = 3;

/**
 * Connections that a stack may hold at its busiest: the API servers twice, because while they are rolled the old
 * ones finish what they have begun and are counted by nobody, the collector, the migrations, and ten for a person
 * with psql and for jobs.
 */
export function connectionBudget(replicas: number): number {
  return POOL * 2 * replicas + POOL + POOL + POOL;
}

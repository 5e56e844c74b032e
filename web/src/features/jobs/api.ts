import { skipToken, useQuery } from '@tanstack/react-query'
import { library, ok } from '@/api/client'
import { keys } from '@/api/keys'
import type { Job } from '@/api/types'

export async function fetchJob(id: string): Promise<Job> {
  return ok(await library().GET('/api/jobs/{job_id}', { params: { path: { job_id: id } } }))
}

export async function cancelJob(id: string): Promise<Job> {
  return ok(await library().POST('/api/jobs/{job_id}/cancel', { params: { path: { job_id: id } } }))
}

export async function retryJob(id: string): Promise<Job> {
  return ok(await library().POST('/api/jobs/{job_id}/retry', { params: { path: { job_id: id } } }))
}

/** What the stream last said about a sample's job; nothing is fetched for it. */
export function useLiveJob(sampleId: string): Job | undefined {
  return useQuery<Job>({ queryKey: keys.job(sampleId), queryFn: skipToken }).data
}

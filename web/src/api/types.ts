/** The product's nouns, taken from the routes that speak them, so that they cannot drift from the server. */
import type { paths } from './schema'

type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : never
type Answer<P extends keyof paths, M extends keyof paths[P], S extends number> = paths[P][M] extends {
  responses: infer R
}
  ? S extends keyof R
    ? Json<R[S]>
    : never
  : never
type Question<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody: { content: { 'application/json': infer Body } }
}
  ? Body
  : never

export type Config = Answer<'/config.json', 'get', 200>

export type Session = Answer<'/api/auth/login', 'post', 200>
export type User = Session['user']
export type Registration = Question<'/api/auth/register', 'post'>
export type Usage = Answer<'/api/usage', 'get', 200>

export type SamplePage = Answer<'/api/samples', 'get', 200>
export type Sample = SamplePage['samples'][number]
export type SampleDetail = Answer<'/api/samples/{sample_id}', 'get', 200>
export type SampleChange = Question<'/api/samples/{sample_id}', 'patch'>
export type Kind = NonNullable<Sample['kind']>
export type SampleStatus = Sample['status']
export type Uploaded = Answer<'/api/samples', 'post', 201>
export type Waveform = Answer<'/api/samples/{sample_id}/waveform', 'get', 200>
export type Facets = Answer<'/api/facets', 'get', 200>
export type Job = Answer<'/api/jobs/{job_id}', 'get', 200>

export type Collection = Answer<'/api/collections/{collection_id}', 'get', 200>
export type Link = Answer<'/api/collections/{collection_id}/export/link', 'get', 200>
export type SampleQuery = NonNullable<paths['/api/samples']['get']['parameters']['query']>

/** What the engine found. The API passes it through as it is, so the OpenAPI file does not describe its inside. */
export interface Analysis {
  engine_version: string
  tempo: { bpm: number; confidence: number; alternatives: { bpm: number; confidence: number }[] } | null
  key: KeyFound | null
  kind: { kind: Kind; confidence: number }
  loudness: { integrated_lufs: number | null; true_peak_dbtp: number | null; sample_peak_dbfs: number | null }
  spectral: {
    centroid_hz: number
    bandwidth_hz: number
    rolloff_hz: number
    flatness: number
    zero_crossing_rate: number
  }
  onsets: number[]
  duration: number
  sample_rate: number
  channels: number
  warnings: string[]
}

interface KeyGuess {
  key: string
  camelot: string
  confidence: number
}

interface KeyFound extends KeyGuess {
  alternatives: KeyGuess[]
}

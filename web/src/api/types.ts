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
export type ReanalysisState = Answer<'/api/reanalysis', 'get', 200>
export type Reanalysis = NonNullable<ReanalysisState['latest']>

export type Collection = Answer<'/api/collections/{collection_id}', 'get', 200>
export type Link = Answer<'/api/collections/{collection_id}/export/link', 'get', 200>
export type SampleQuery = NonNullable<paths['/api/samples']['get']['parameters']['query']>

/**
 * What the engine found. The API passes it through as it is, so the OpenAPI file does not describe its inside.
 * What is optional, older engines did not look for.
 */
export interface Analysis {
  engine_version: string
  tempo: (TempoGuess & { alternatives: TempoGuess[] }) | null
  key: (KeyGuess & { alternatives: KeyGuess[]; tuning_cents?: number }) | null
  kind: { kind: Kind; confidence: number }
  sound_class?: { name: string; confidence: number; probabilities?: Record<string, number> } | null
  /** Of a one-shot. `midi` has the deviation from the note as a fraction. */
  pitch?: { note: string; midi: number; frequency: number; confidence: number } | null
  loudness: { integrated_lufs: number | null; true_peak_dbtp: number | null; sample_peak_dbfs: number | null }
  spectral: {
    centroid_hz: number
    bandwidth_hz: number
    rolloff_hz: number
    flatness: number
    zero_crossing_rate: number
  }
  envelope?: { attack: number; decay: number; crest_db: number }
  silence?: { start: number; end: number }
  clipping?: { count: number; over: number }
  dc_offset?: number
  mono_compatibility?: { correlation: number; loss_db: number } | null
  onsets: number[]
  slices?: Slice[]
  hints?: { found?: Hint[] }
  duration: number
  sample_rate: number
  channels: number
  warnings: string[]
}

export interface TempoGuess {
  bpm: number
  confidence: number
}

export interface KeyGuess {
  key: string
  camelot: string
  confidence: number
}

/** A piece for a pad, in seconds. */
export interface Slice {
  start: number
  end: number
  source: 'grid' | 'onsets' | 'whole'
}

/** What a file says about itself, and where. */
export interface Hint {
  subject: 'tempo' | 'key' | 'root' | 'kind'
  value: string
  source: string
}

export type Preferences = Answer<'/api/account/preferences', 'get', 200>
export type Factors = Answer<'/api/account/factors', 'get', 200>
export type Passkey = Factors['passkeys'][number]
export type TotpSetup = Answer<'/api/account/factors/totp', 'post', 200>
export type Sessions = Answer<'/api/auth/sessions', 'get', 200>
export type ApiKeyPage = Answer<'/api/user/api-keys', 'get', 200>
export type ApiKey = ApiKeyPage['api_keys'][number]
export type NewApiKey = Question<'/api/user/api-keys', 'post'>
export type Scope = ApiKey['scopes'][number]
export type Activity = Answer<'/api/account/activity', 'get', 200>
export type DataExports = Answer<'/api/account/exports', 'get', 200>
export type DataExport = DataExports['exports'][number]
export type Organizations = Answer<'/api/organizations', 'get', 200>
export type Organization = Organizations['organizations'][number]
export type Role = Organization['role']
export type Members = Answer<'/api/organizations/{organization_id}/members', 'get', 200>
export type Member = Members['members'][number]
export type Invitations = Answer<'/api/organizations/{organization_id}/invitations', 'get', 200>
export type Invitation = Answer<'/api/invitations/preview', 'post', 200>
export type MyInvitations = Answer<'/api/invitations', 'get', 200>
export type AdminUsers = Answer<'/api/admin/users', 'get', 200>
export type AdminUser = AdminUsers['users'][number]
export type AdminUserDetail = Answer<'/api/admin/users/{user_id}', 'get', 200>
export type AdminAudit = Answer<'/api/admin/audit', 'get', 200>
export type AdminUserChange = Question<'/api/admin/users/{user_id}', 'put'>

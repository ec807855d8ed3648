// What TypeScript clients of the first release do, unchanged, as a signed-in user. Prints what each call answered.
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_KEY, USER_TOKEN, USER_ID } = process.env
const supabase = createClient(SUPABASE_URL, SUPABASE_KEY, {
  global: { headers: { Authorization: `Bearer ${USER_TOKEN}` } },
  auth: { persistSession: false, autoRefreshToken: false },
  realtime: { transport: class {} }, // Node 20 has no WebSocket of its own
})

const answers = {}
async function call(name, request) {
  const { data, error, status } = await request
  answers[name] = { data, error, status }
  return data
}

const snapshots = {
  config_snapshot: { r: 16, lora_alpha: 32 },
  model_snapshot: { modelId: 'base' },
  dataset_snapshot: [{ datasetId: '123' }],
}

// 1. Create the parent.
const config = await call('config', supabase
  .from('training_configs')
  .insert({ name: 'my-package', template_type: 'lora_finetuning', config_json: {}, user_id: USER_ID })
  .select()
  .single())

// 2. Ask for the number.
const number = await call('number', supabase.rpc('get_next_version_number', { p_package_id: config.id }))

// 3. Save a draft under it.
const draft = await call('draft', supabase
  .from('training_package_versions')
  .insert({
    package_id: config.id,
    version_number: number,
    name: 'my-package-v1-draft-20250131',
    status: 'draft',
    created_by: USER_ID,
    ...snapshots,
  })
  .select()
  .single())

// A draft is edited by a plain update, too.
await call('edited', supabase
  .from('training_package_versions')
  .update({ config_snapshot: { r: 32 }, updated_at: new Date().toISOString() })
  .eq('id', draft.id)
  .eq('status', 'draft')
  .select()
  .single())

// 4. Publish it.
await call('published', supabase
  .from('training_package_versions')
  .update({
    status: 'published',
    published_at: new Date().toISOString(),
    published_by: USER_ID,
    name: 'my-package-v1',
  })
  .eq('id', draft.id)
  .eq('status', 'draft')
  .select()
  .single())

// 7. Fork it: a draft with a parent.
await call('fork', supabase
  .from('training_package_versions')
  .insert({
    package_id: config.id,
    version_number: (await supabase.rpc('get_next_version_number', { p_package_id: config.id })).data,
    name: 'my-package-v2-draft-20250201',
    status: 'draft',
    created_by: USER_ID,
    parent_version_id: draft.id,
    ...snapshots,
  })
  .select()
  .single())

// 5. All versions.
await call('all', supabase
  .from('training_package_versions')
  .select('*')
  .eq('package_id', config.id)
  .order('version_number', { ascending: false }))

// 6. The latest published one.
await call('latest', supabase
  .from('training_package_versions')
  .select('*')
  .eq('package_id', config.id)
  .eq('status', 'published')
  .order('version_number', { ascending: false })
  .limit(1)
  .single())

// What users of the first release know as intended: published versions stay, and numbers are not shared.
await call('rewritten', supabase
  .from('training_package_versions')
  .update({ config_snapshot: {} })
  .eq('id', draft.id)
  .select()
  .single())
await call('taken', supabase
  .from('training_package_versions')
  .insert({ package_id: config.id, version_number: 1, name: 'x', status: 'draft', created_by: USER_ID, ...snapshots })
  .select()
  .single())

await call('config_afterwards', supabase.from('training_configs').select('*').eq('id', config.id).single())

console.log(JSON.stringify(answers))

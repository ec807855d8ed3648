-- The user's own application, before it knew of versions: nothing here is ours.

CREATE TABLE training_configs (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id UUID REFERENCES auth.users(id),
  name TEXT NOT NULL,
  description TEXT,
  template_type TEXT NOT NULL DEFAULT 'lora_finetuning',
  config_json JSONB,
  is_favourite BOOLEAN DEFAULT false,
  tags TEXT[] DEFAULT '{}',
  updated_at TIMESTAMPTZ DEFAULT now()
);

ALTER TABLE training_configs ENABLE ROW LEVEL SECURITY;

CREATE POLICY "configs_owner_reads" ON training_configs
  FOR SELECT USING (auth.uid() = user_id);
CREATE POLICY "configs_owner_writes" ON training_configs
  FOR ALL USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);

CREATE FUNCTION touch_training_config() RETURNS trigger AS $$
BEGIN
  NEW.updated_at = now();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER set_updated_at
  BEFORE UPDATE ON training_configs
  FOR EACH ROW EXECUTE FUNCTION touch_training_config();

-- Something of the application's own that leans on the table.
CREATE VIEW favourite_configs WITH (security_invoker = true) AS
  SELECT id, name, tags FROM training_configs WHERE is_favourite;

-- The user's application went on after the first release: its history has a migration newer than ours.
CREATE TABLE app_notes (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  config_id UUID NOT NULL REFERENCES training_configs(id) ON DELETE CASCADE,
  body TEXT NOT NULL
);
CREATE INDEX app_notes_config ON app_notes (config_id);
ALTER TABLE app_notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY "notes_of_own_configs" ON app_notes FOR ALL
  USING (EXISTS (SELECT 1 FROM training_configs c WHERE c.id = config_id AND c.user_id = (SELECT auth.uid())));

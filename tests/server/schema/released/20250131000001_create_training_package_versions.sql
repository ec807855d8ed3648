-- The first release, as databases out there ran it.
-- Migration: Create training_package_versions table for package versioning

-- 1. Table
CREATE TABLE IF NOT EXISTS training_package_versions (
  -- Identity
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  package_id UUID NOT NULL REFERENCES training_configs(id) ON DELETE CASCADE,
  version_number INTEGER NOT NULL,

  -- Metadata
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  created_by UUID REFERENCES auth.users(id),
  published_at TIMESTAMPTZ,
  published_by UUID REFERENCES auth.users(id),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Snapshots
  config_snapshot JSONB NOT NULL,
  model_snapshot JSONB NOT NULL,
  dataset_snapshot JSONB NOT NULL,

  -- Change tracking
  change_summary TEXT,
  parent_version_id UUID REFERENCES training_package_versions(id) ON DELETE SET NULL,

  -- Deployment
  is_deployed BOOLEAN DEFAULT FALSE,
  deployment_target TEXT CHECK (deployment_target IN ('local', 'hf_space')),
  deployment_url TEXT,
  deployment_id TEXT,

  -- Training
  training_status TEXT CHECK (training_status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
  training_started_at TIMESTAMPTZ,
  training_completed_at TIMESTAMPTZ,
  training_metrics JSONB,

  -- Cost
  estimated_cost DECIMAL(10,2),
  actual_cost DECIMAL(10,2),
  budget_limit DECIMAL(10,2),
  cost_alerts_sent JSONB,

  UNIQUE(package_id, version_number),
  CONSTRAINT published_needs_who_and_when CHECK (
    status != 'published' OR (published_at IS NOT NULL AND published_by IS NOT NULL)
  ),
  CONSTRAINT deployed_needs_target CHECK (
    is_deployed = FALSE OR deployment_target IS NOT NULL
  )
);

-- 2. Parent table
ALTER TABLE training_configs
  ADD COLUMN IF NOT EXISTS current_version_id UUID REFERENCES training_package_versions(id) ON DELETE SET NULL,
  ADD COLUMN IF NOT EXISTS version_count INTEGER DEFAULT 0,
  ADD COLUMN IF NOT EXISTS latest_published_version INTEGER DEFAULT 0;

-- 3. Indexes
CREATE INDEX IF NOT EXISTS idx_package_versions_package ON training_package_versions(package_id, version_number DESC);
CREATE INDEX IF NOT EXISTS idx_package_versions_status ON training_package_versions(status);
CREATE INDEX IF NOT EXISTS idx_package_versions_user ON training_package_versions(created_by);
CREATE INDEX IF NOT EXISTS idx_package_versions_deployment ON training_package_versions(is_deployed, deployment_target)
  WHERE is_deployed = TRUE;
CREATE INDEX IF NOT EXISTS idx_package_versions_training_status ON training_package_versions(training_status)
  WHERE training_status IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_package_versions_parent ON training_package_versions(parent_version_id);
CREATE INDEX IF NOT EXISTS idx_package_versions_config_snapshot ON training_package_versions USING GIN (config_snapshot);
CREATE INDEX IF NOT EXISTS idx_package_versions_model_snapshot ON training_package_versions USING GIN (model_snapshot);
CREATE INDEX IF NOT EXISTS idx_package_versions_dataset_snapshot ON training_package_versions USING GIN (dataset_snapshot);

-- 4. Row level security
ALTER TABLE training_package_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY "package_versions_select_own" ON training_package_versions
  FOR SELECT USING (auth.uid() = created_by);
CREATE POLICY "package_versions_insert_own" ON training_package_versions
  FOR INSERT WITH CHECK (auth.uid() = created_by);
CREATE POLICY "package_versions_update_own_drafts" ON training_package_versions
  FOR UPDATE USING (auth.uid() = created_by AND status = 'draft');
CREATE POLICY "package_versions_delete_own_drafts" ON training_package_versions
  FOR DELETE USING (auth.uid() = created_by AND status = 'draft');

-- 5. Functions and triggers
CREATE OR REPLACE FUNCTION get_next_version_number(p_package_id UUID)
RETURNS INTEGER AS $$
DECLARE
  next_version INTEGER;
BEGIN
  SELECT COALESCE(MAX(version_number), 0) + 1 INTO next_version
  FROM training_package_versions
  WHERE package_id = p_package_id;
  RETURN next_version;
END;
$$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = public;

CREATE OR REPLACE FUNCTION update_version_count()
RETURNS TRIGGER AS $$
BEGIN
  UPDATE training_configs
  SET version_count = (
    SELECT COUNT(*) FROM training_package_versions
    WHERE package_id = COALESCE(NEW.package_id, OLD.package_id)
  )
  WHERE id = COALESCE(NEW.package_id, OLD.package_id);
  RETURN COALESCE(NEW, OLD);
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION update_training_package_versions_updated_at()
RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS set_updated_at ON training_package_versions;
CREATE TRIGGER set_updated_at
  BEFORE UPDATE ON training_package_versions
  FOR EACH ROW EXECUTE FUNCTION update_training_package_versions_updated_at();

DROP TRIGGER IF EXISTS update_config_version_count ON training_package_versions;
CREATE TRIGGER update_config_version_count
  AFTER INSERT OR DELETE ON training_package_versions
  FOR EACH ROW EXECUTE FUNCTION update_version_count();

-- 6. Verification
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = 'training_package_versions') THEN
    RAISE EXCEPTION 'training_package_versions was not created';
  END IF;
  RAISE NOTICE 'training_package_versions created successfully';
END $$;
